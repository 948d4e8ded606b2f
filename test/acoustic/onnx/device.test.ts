import { listSupportedBackends } from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { createInlineEngine } from '../../../src/acoustic/engine/inline-engine.ts';
import { type Device, devices, parseDevice } from '../../../src/acoustic/onnx/device.ts';
import { tiny } from '../../kit/tiny-model.ts';

describe('parseDevice', () => {
  it.each(devices)('takes %s', (device) => expect(parseDevice(device)).toBe(device));

  it('says what it takes instead of anything else', () => {
    expect(() => parseDevice('gpu')).toThrow(
      expect.objectContaining({
        code: 'bad_device',
        message: '"gpu" is not a device; allowed: auto, cpu, cuda, webgpu, wasm',
      }),
    );
  });
});

describe('an engine', () => {
  it('says which provider auto took', async () => {
    const engine = await createInlineEngine({ model: tiny, device: 'auto' });
    expect(['cpu', 'cuda']).toContain(engine.provider);
    await engine.close();
  });

  // Where a GPU is, the named device runs; where none is, it is an error: never a silent CPU.
  it.each<Device>(['cuda', 'webgpu'])('runs on %s or says how to get it', async (device) => {
    const opened = await createInlineEngine({ model: tiny, device }).catch((error: unknown) => error);
    if (opened instanceof Error) {
      expect(opened).toMatchObject({
        code: 'device_unavailable',
        exitCode: 2,
        hint: expect.stringMatching(/--device auto/),
      });
      return;
    }
    expect(opened).toMatchObject({ provider: device });
    expect(listSupportedBackends().map(({ name }) => name)).toContain(device);
  });
});
