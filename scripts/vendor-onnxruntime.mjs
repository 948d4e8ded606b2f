// Copies what the WebAssembly build of ONNX Runtime needs into vendor/, for `npm pack`; with --remove takes it away again.
// The whole of onnxruntime-web is 139 MB, these files are 14 MB of it.
import { cpSync, mkdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const files = ['ort.node.min.mjs', 'ort-wasm-simd-threaded.mjs', 'ort-wasm-simd-threaded.wasm'];
const from = dirname(fileURLToPath(import.meta.resolve('onnxruntime-web')));
const to = fileURLToPath(new URL('../vendor/onnxruntime-web', import.meta.url));

rmSync(dirname(to), { recursive: true, force: true });
if (!process.argv.includes('--remove')) {
  mkdirSync(to, { recursive: true });
  for (const file of files) cpSync(join(from, file), join(to, file));
}
