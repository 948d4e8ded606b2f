import { spawnSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryDirectory } from './temporary-directory.ts';

/** SwiftShader, which runs Vulkan on the CPU: Debian's chromium brings it. It lives in the process that uses it. */
const driver = '/usr/lib/chromium/libvk_swiftshader.so';
const loaders = ['x86_64-linux-gnu', 'aarch64-linux-gnu'].map((machine) => `/usr/lib/${machine}/libvulkan.so.1`);

/** Why no GPU can be played here; undefined: one can. */
export function lackOfGpu(): string | undefined {
  if (!existsSync(driver)) return 'there is no SwiftShader (Debian: chromium)';
  if (!loaders.some((path) => existsSync(path))) return 'there is no Vulkan loader (Debian: libvulkan1)';
  if (spawnSync('cc', ['--version']).status !== 0) return 'there is no C compiler (Debian: gcc, libc6-dev)';
  return undefined;
}

/** The environment of a process that finds this software GPU and no other. */
export function softwareGpu(): NodeJS.ProcessEnv {
  return environment(driver, temporaryDirectory());
}

/** One whose device is lost when `lose` is called; the program that it is made of is compiled first. */
export function losableGpu(): { env: NodeJS.ProcessEnv; lose(): void } {
  const directory = temporaryDirectory();
  const library = join(directory, 'losable-driver.so');
  const flag = join(directory, 'lost');
  const source = join(import.meta.dirname, 'losable-driver.c');
  const made = spawnSync('cc', ['-shared', '-fPIC', '-o', library, source, '-ldl'], { encoding: 'utf8' });
  if (made.status !== 0) throw new Error(`the driver cannot be compiled: ${made.stderr}`);
  return {
    env: { ...environment(library, directory), LOSABLE_DRIVER: driver, LOSABLE_FLAG: flag },
    lose: () => writeFileSync(flag, ''),
  };
}

function environment(library: string, directory: string): NodeJS.ProcessEnv {
  const path = join(directory, 'driver.json');
  const description = { file_format_version: '1.0.0', ICD: { library_path: library, api_version: '1.1.0' } };
  writeFileSync(path, JSON.stringify(description));
  // Without a directory of the session the loader's window systems complain on stderr.
  return { ...process.env, VK_ICD_FILENAMES: path, VK_DRIVER_FILES: path, XDG_RUNTIME_DIR: directory };
}
