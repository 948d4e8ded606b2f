import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** The package's version, from package.json. */
export function packageVersion(): string {
  const manifest: { version: string } = JSON.parse(readFileSync(shippedPath('package.json'), 'utf8'));
  return manifest.version;
}

/** Where a file or folder lies that the package brings along, such as `models/en-learner`. */
export function shippedPath(path: string): string {
  return fileURLToPath(new URL(`../../${path}`, import.meta.url));
}
