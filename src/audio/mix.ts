import type { ByteSource } from './byte-source.ts';
import { wavBlocks } from './wav-blocks.ts';
import type { WavHeader } from './wav-header.ts';

/**
 * Which channels become the one that is scored: the mean of all, or one where they cancel each
 * other.
 */
export type Mix = 'mean' | { channel: number };

/** Below this share of the channels' own energy the mean has lost the voice: 20 dB. */
const cancelledShare = 0.01;

/**
 * How the channels of a file go together: channels of opposite sign cancel in their mean, as a
 * microphone that is wired the wrong way round does, and then the loudest is taken. Files of one
 * channel are not read for it.
 */
export function mixOf(source: ByteSource, header: WavHeader): Mix {
  if (header.channels === 1) return 'mean';
  const own = new Float64Array(header.channels);
  let mean = 0;
  for (const block of wavBlocks(source, header)) {
    for (let i = 0; i < block[0]!.length; i++) {
      let sum = 0;
      for (let channel = 0; channel < block.length; channel++) {
        const value = finite(block[channel]![i]!);
        own[channel]! += value * value;
        sum += value;
      }
      mean += (sum / block.length) ** 2;
    }
  }
  const total = own.reduce((sum, energy) => sum + energy, 0);
  if (total === 0 || mean >= (cancelledShare * total) / header.channels) return 'mean';
  return { channel: own.indexOf(Math.max(...own)) };
}

/** One block as mono; what is not finite in a float file counts as silence. */
export function mixed(block: readonly Float32Array[], mix: Mix): Float32Array {
  const out = new Float32Array(block[0]!.length);
  const channels = mix === 'mean' ? block : [block[mix.channel]!];
  for (let i = 0; i < out.length; i++) {
    let sum = 0;
    for (const channel of channels) sum += channel[i]!;
    out[i] = finite(sum / channels.length);
  }
  return out;
}

function finite(value: number): number {
  return Number.isFinite(value) ? value : 0;
}
