import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { InferenceSession } from 'onnxruntime-common';
import { SpeechfbError } from '../../errors.ts';
import { type Accelerator, type Device, isAccelerator, type Provider } from './device.ts';
import { installNative, loadRuntime, type Runtime } from './runtime.ts';
import { runtimeMessage } from './runtime-message.ts';

export type OpenedSession = {
  session: InferenceSession;
  runtime: Runtime;
  /** The provider that was found to run the model's nodes. */
  provider: Provider;
  /** The file that was opened. */
  path: string;
};

/** The files of one network: for accelerators, and for the CPU, often the same. */
export type NetworkFiles = { onnxPath: string; onnxCpuPath?: string };

/**
 * Opens the network on `device`, from the file that suits it. `auto` takes cuda where its libraries
 * are installed and work, else the CPU: `cpu` runs the native ONNX Runtime where that loads, else
 * the WebAssembly one; `wasm` and `webgpu` run only when they are named. The provider of an
 * accelerator is read from a profiled run, because onnxruntime moves nodes to the CPU silently.
 * Errors: `device_unavailable` for a named device that is not there, `bad_onnx` for a file that is
 * no model, those of `loadRuntime`.
 */
export async function openSession(
  { onnxPath, onnxCpuPath = onnxPath }: NetworkFiles,
  device: Device,
  threads: number,
  probe: Probe,
): Promise<OpenedSession> {
  if (device === 'cuda' || device === 'webgpu') return openNamed(device, onnxPath, threads, probe);
  const runtime = await loadRuntime(device === 'wasm' ? 'wasm' : 'any');
  if (device === 'auto' && runtime.build === 'native' && cudaIsInstalled()) {
    const cuda = await openOn(runtime, 'cuda', onnxPath, threads, probe).catch(() => undefined);
    if (cuda) return cuda;
  }
  return openOnCpu(runtime, onnxCpuPath, threads);
}

/** Runs one step on a session just opened. Errors: whatever does not fit. */
type Probe = (opened: Pick<OpenedSession, 'session' | 'path' | 'runtime'>) => Promise<unknown>;

async function openNamed(device: Accelerator, path: string, threads: number, probe: Probe): Promise<OpenedSession> {
  const runtime = await loadRuntime('native').catch((error: Error) => {
    throw unavailable(device, error.message, error, installNative);
  });
  if (device === 'cuda' && !cudaIsInstalled()) throw unavailable(device, 'its provider libraries are not installed');
  // A file that is no model fails here, so that what fails below is the device.
  await (await openOnCpu(runtime, path, threads)).session.release();
  return openOn(runtime, device, path, threads, probe);
}

async function openOnCpu(runtime: Runtime, path: string, threads: number): Promise<OpenedSession> {
  const provider = runtime.build === 'wasm' ? 'wasm' : 'cpu';
  try {
    const options = sessionOptions(provider, threads);
    const { InferenceSession } = runtime;
    const session =
      provider === 'wasm'
        ? await InferenceSession.create(readFileSync(path), options)
        : await InferenceSession.create(path, options);
    return { session, runtime, provider, path };
  } catch (cause) {
    throw new SpeechfbError(
      'bad_onnx',
      `"${path}" is not an ONNX model that onnxruntime can open: ${runtimeMessage(cause)}`,
      {
        hint: 'export it again with opset 21 or lower, and check that the file is whole',
        cause,
      },
    );
  }
}

async function openOn(
  runtime: Runtime,
  provider: Accelerator,
  path: string,
  threads: number,
  probe: Probe,
): Promise<OpenedSession> {
  const folder = mkdtempSync(join(tmpdir(), 'speechfb-'));
  try {
    const profiling = { enableProfiling: true, profileFilePrefix: join(folder, 'profile') };
    const profiled = await runtime.InferenceSession.create(path, {
      ...sessionOptions(provider, threads),
      ...profiling,
    });
    await probe({ session: profiled, runtime, path });
    profiled.endProfiling();
    await profiled.release();
    if (!ranMostlyOn(folder, provider)) throw unavailable(provider, 'onnxruntime ran most of the model on the CPU');
    const session = await runtime.InferenceSession.create(path, sessionOptions(provider, threads));
    return { session, runtime, provider, path };
  } catch (cause) {
    if (cause instanceof SpeechfbError) throw cause;
    throw unavailable(provider, runtimeMessage(cause), cause);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function unavailable(device: Accelerator, why: string, cause?: unknown, remedy?: string): SpeechfbError {
  return new SpeechfbError('device_unavailable', `device "${device}" is not available here: ${why}`, {
    hint: `${remedy ?? (device === 'cuda' ? cudaHint() : webgpuHint)}; or use --device auto`,
    cause,
  });
}

const webgpuHint = 'it needs a GPU driver and, on Linux, the Vulkan loader and driver';

function cudaHint(): string {
  const fetch = `node ${join(runtimeFolder(), 'script', 'install.js')} --onnxruntime-node-install=cuda12`;
  return `on Linux x64 with an NVIDIA GPU and CUDA 12, fetch its libraries: ${fetch}`;
}

/** Asking onnxruntime itself would print its own error when the libraries are missing. */
function cudaIsInstalled(): boolean {
  const library = join('bin', 'napi-v6', process.platform, process.arch, 'libonnxruntime_providers_cuda.so');
  return existsSync(join(runtimeFolder(), library));
}

function runtimeFolder(): string {
  return dirname(createRequire(import.meta.url).resolve('onnxruntime-node/package.json'));
}

/**
 * `threads` a run. Severity 3 keeps onnxruntime's warnings about nodes it placed on the CPU off the
 * terminal, 4 its errors too: those of a device that is lost are told by the engine, which goes on.
 */
function sessionOptions(provider: Provider, threads: number): InferenceSession.SessionOptions {
  return {
    executionProviders: [provider],
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    logSeverityLevel: isAccelerator(provider) ? 4 : 3,
  };
}

const providerNames = { cuda: 'CUDAExecutionProvider', webgpu: 'WebGpuExecutionProvider' } as const;

/**
 * Whether the profile in `folder` shows most nodes of the model on `provider`: a few stray ones
 * copy what others compute.
 */
function ranMostlyOn(folder: string, provider: Accelerator): boolean {
  const text = readdirSync(folder).map((file) => readFileSync(join(folder, file), 'utf8'));
  const ran = [...text.join('').matchAll(/"provider"\s*:\s*"(\w+)"/g)].map((match) => match[1]);
  return ran.filter((name) => name === providerNames[provider]).length > ran.length / 2;
}
