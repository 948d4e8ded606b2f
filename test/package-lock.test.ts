import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

type Lock = { packages: Record<string, { hasInstallScript?: true }> };

// The script downloads CUDA libraries from outside the registry. npm runs no script of a package that the lock file gives none.
it('`npm ci` runs no install script of onnxruntime-node: after each change of it, delete its "hasInstallScript"', () => {
  const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8')) as Lock;
  expect(packages['node_modules/onnxruntime-node']).toBeDefined();
  expect(packages['node_modules/onnxruntime-node']?.hasInstallScript).toBeUndefined();
});
