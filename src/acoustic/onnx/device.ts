import { SpeechfbError } from '../../errors.ts';

export const devices = ['auto', 'cpu', 'cuda', 'webgpu', 'wasm'] as const;
export type Device = (typeof devices)[number];
/** What runs the model: on the CPU by machine code or by WebAssembly, or an accelerator. */
export type Provider = Exclude<Device, 'auto'>;
export type Accelerator = Exclude<Provider, 'cpu' | 'wasm'>;

/** A device from a flag's text; loads nothing heavy. Error: `bad_device`. */
export function parseDevice(text: string): Device {
  const device = devices.find((known) => known === text);
  if (!device) throw new SpeechfbError('bad_device', `"${text}" is not a device; allowed: ${devices.join(', ')}`);
  return device;
}

/** Whether a provider has a device of its own, which may be lost while the process lives. */
export function isAccelerator(provider: string): provider is Accelerator {
  return provider === 'cuda' || provider === 'webgpu';
}
