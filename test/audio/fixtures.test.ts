import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Vad } from '../../src/audio/vad.ts';
import { readWav } from '../../src/audio/wav.ts';

const folder = join(import.meta.dirname, '../../fixtures/audio');
const files = readdirSync(folder).filter((file) => file.endsWith('.wav'));
const voiceless = ['silence.wav', 'noise.wav'];

/** What the voice detector finds, in one letter an event. */
function turns(file: string): string {
  const { samples, sampleRateHz } = readWav(join(folder, file));
  // A second of quiet behind the clip, as a phone that goes on listening would send.
  const quiet = Float32Array.from({ length: sampleRateHz }, (_, i) => 1e-5 * Math.sin(i * i));
  const vad = new Vad({ sampleRateHz });
  return [...vad.push(samples), ...vad.push(quiet)].map(({ type }) => type[0]).join('');
}

describe('recorded clips', () => {
  it.each(files)('%s is mono float at its own rate, as long as its header says', (file) => {
    const bytes = readFileSync(join(folder, file));
    const wav = readWav(join(folder, file));
    expect(wav.sampleRateHz).toBe(bytes.readUInt32LE(24));
    expect(wav.channels).toBe(bytes.readUInt16LE(22));
    expect(wav.samples.length / wav.sampleRateHz).toBeCloseTo(wav.durationMs / 1000, 3);
    expect(readWav(bytes, { sampleRateHz: 16_000 }).samples.length).toBe(Math.ceil((wav.durationMs / 1000) * 16_000));
  });

  it.each(files.filter((file) => !voiceless.includes(file)))('%s has a voice that begins and ends', (file) => {
    expect(turns(file)).toMatch(/^(be)+$/);
  });

  it.each(voiceless)('%s has none', (file) => expect(turns(file)).toBe(''));
});
