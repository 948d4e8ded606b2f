import { describe, expect, it } from 'vitest';
import { loadRuntime, type Runtime } from '../../../src/acoustic/onnx/runtime.ts';

describe('the build of ONNX Runtime', () => {
  it('is the native one where it loads', async () => {
    expect(await loadRuntime()).toMatchObject({ build: 'native' });
  });

  it.each([
    ['is not installed', missing(), 'the native one is not installed'],
    [
      'is for another machine',
      new Error("libstdc++.so.6: version `GLIBCXX_3.4.30' not found\n at dlopen"),
      "the native one does not load: libstdc++.so.6: version `GLIBCXX_3.4.30' not found",
    ],
  ])('is WebAssembly where the native one %s, and says why', async (_, native, whyNotNative) => {
    expect(await load({ native })).toMatchObject({ build: 'wasm', whyNotNative });
  });

  it('is WebAssembly where that is wanted, which needs no reason', async () => {
    const runtime = await load({}, 'wasm');
    expect(runtime).toMatchObject({ build: 'wasm' });
    expect(runtime.whyNotNative).toBeUndefined();
  });

  it('is none where neither loads, with one sentence and one command', async () => {
    await expect(load({ native: missing(), wasm: new Error('out of memory') })).rejects.toMatchObject({
      code: 'runtime_unavailable',
      exitCode: 2,
      message:
        'no build of ONNX Runtime can be loaded here, and the model needs one: ' +
        'the native one is not installed; the WebAssembly one does not load: out of memory',
      hint: 'npm install --ignore-scripts onnxruntime-node@1.30.0',
    });
  });
});

/** Loads a runtime where one build or both fail as said. */
async function load(failing: { native?: Error; wasm?: Error }, wanted?: 'wasm'): Promise<Runtime> {
  const real: Record<Runtime['build'], Runtime> = {
    native: await loadRuntime('native'),
    wasm: await loadRuntime('wasm'),
  };
  const build = (name: Runtime['build']) => () =>
    failing[name] ? Promise.reject(failing[name]) : Promise.resolve(real[name]);
  return await loadRuntime(wanted, { native: build('native'), wasm: build('wasm') });
}

function missing(): Error {
  return Object.assign(new Error("Cannot find package 'onnxruntime-node'"), { code: 'ERR_MODULE_NOT_FOUND' });
}
