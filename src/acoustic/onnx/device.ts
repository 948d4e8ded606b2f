import { SpeechfbError } from '../../errors.ts';

export const devices = ['auto', 'cpu', 'cuda', 'webgpu'] as const;
export type Device = (typeof devices)[number];
export type Provider = Exclude<Device, 'auto'>;

/** A device from a flag's text; loads nothing heavy. Error: `bad_device`. */
export function parseDevice(text: string): Device {
  const device = devices.find((known) => known === text);
  if (!device) throw new SpeechfbError('bad_device', `"${text}" is not a device; allowed: ${devices.join(', ')}`);
  return device;
}
