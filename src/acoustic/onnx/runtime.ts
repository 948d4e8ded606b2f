import { existsSync } from 'node:fs';
import type { InferenceSessionFactory, TensorConstructor } from 'onnxruntime-common';
import { SpeechfbError } from '../../errors.ts';

/** A build of ONNX Runtime that loads on this machine. */
export type Runtime = {
  /**
   * `native`: machine code. `wasm`: WebAssembly, which runs wherever Node does and costs several
   * times the CPU time.
   */
  build: 'native' | 'wasm';
  InferenceSession: InferenceSessionFactory;
  Tensor: TensorConstructor;
  /** Why this is not the native build; absent when it is. */
  whyNotNative?: string;
};

/**
 * Installs the native build beside the package; its install script would download CUDA libraries
 * from outside the registry.
 */
export const installNative = 'npm install --ignore-scripts onnxruntime-node@1.30.0';

/**
 * The native build where it loads, else the WebAssembly one, or the one that is wanted. `builds`
 * loads them. Error: `runtime_unavailable` with every reason and the command that mends it.
 */
export async function loadRuntime(
  wanted: 'any' | Runtime['build'] = 'any',
  builds: Record<Runtime['build'], () => Promise<Runtime>> = { native: loadNative, wasm: loadWasm },
): Promise<Runtime> {
  const reasons: string[] = [];
  const tried = async (name: string, load: () => Promise<Runtime>): Promise<Runtime | undefined> => {
    try {
      return await load();
    } catch (error) {
      reasons.push(`${name} ${reasonOf(error)}`);
      return undefined;
    }
  };
  const native = wanted === 'wasm' ? undefined : await tried('the native one', builds.native);
  if (native) return native;
  const wasm = wanted === 'native' ? undefined : await tried('the WebAssembly one', builds.wasm);
  if (wasm) return reasons.length === 0 ? wasm : { ...wasm, whyNotNative: reasons.join('; ') };
  const message = `no build of ONNX Runtime can be loaded here, and the model needs one: ${reasons.join('; ')}`;
  throw new SpeechfbError('runtime_unavailable', message, { hint: installNative });
}

async function loadNative(): Promise<Runtime> {
  const { InferenceSession, Tensor } = await import('onnxruntime-node');
  return { build: 'native', InferenceSession, Tensor };
}

/** One thread: the engine has a thread of its own already. */
async function loadWasm(): Promise<Runtime> {
  const { env, InferenceSession, Tensor } = await importWasm();
  env.wasm.numThreads = 1;
  env.logLevel = 'error';
  return { build: 'wasm', InferenceSession, Tensor };
}

/**
 * A packed speechfb carries the three files that it needs of onnxruntime-web's 139 MB; a clone has
 * all of it to develop with.
 */
async function importWasm(): Promise<typeof import('onnxruntime-common')> {
  const packed = new URL('../../../vendor/onnxruntime-web/ort.node.min.mjs', import.meta.url);
  return existsSync(packed) ? await import(packed.href) : await import('onnxruntime-web');
}

function reasonOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'ERR_MODULE_NOT_FOUND' || code === 'MODULE_NOT_FOUND') return 'is not installed';
  return `does not load: ${String(message).split('\n')[0]}`;
}
