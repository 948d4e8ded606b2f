import { describe, expect, it } from 'vitest';
import { toS16le } from '../../src/audio/pcm.ts';
import { base64Between, EncodedSound, type SoundFormat } from '../../src/dialects/sound.ts';

const raw: SoundFormat = { encoding: 'pcm_s16le', sampleRateHz: 16_000, messageMs: 20 };

/** A tone of 1 kHz, pcm_s16le. */
function tone(ms: number, sampleRateHz: number) {
  const samples = Float32Array.from(
    { length: (sampleRateHz * ms) / 1000 },
    (_, i) => 0.5 * Math.sin((2 * Math.PI * 1000 * i) / sampleRateHz),
  );
  return { pcm: toS16le(samples), sampleRateHz };
}

describe('a recording as messages', () => {
  it('cuts it into whole frames and fills the last one up with silence', () => {
    const sound = new EncodedSound(tone(50, 16_000), raw, 20);
    expect([sound.count, sound.bytesAFrame]).toEqual([3, 640]);
    expect(sound.at(2)).toHaveLength(640);
    expect(sound.samples(2).subarray(320)).toEqual(new Uint8Array(320));
  });

  it.each([
    ['24 kHz', { ...raw, sampleRateHz: 24_000 }, 960],
    ['8 kHz mu-law', { ...raw, encoding: 'mulaw', sampleRateHz: 8000 }, 160],
    ['float samples', { ...raw, encoding: 'pcm_f32le' }, 1280],
  ] as const)('brings it to %s', (_, format, bytes) => {
    const sound = new EncodedSound(tone(100, 16_000), format, 20);
    expect([sound.count, sound.bytesAFrame]).toEqual([5, bytes]);
    expect(sound.at(0)).toHaveLength(bytes);
  });

  it('fills mu-law up with what means silence there', () => {
    const sound = new EncodedSound(tone(10, 8000), { ...raw, encoding: 'mulaw', sampleRateHz: 8000 }, 20);
    expect(sound.samples(0).subarray(80)).toEqual(new Uint8Array(80).fill(0xff));
  });

  it('makes each message once, however many send it', () => {
    const made: number[] = [];
    const message = (text: Uint8Array) => {
      made.push(text.length);
      return { text };
    };
    const format: SoundFormat = { ...raw, message };
    const sound = new EncodedSound(tone(40, 16_000), format, 20);
    expect(sound.at(1)).toBe(sound.at(1));
    expect(made).toEqual([640]);
  });

  it('wraps it as base64 in JSON that reads back as its samples', () => {
    const message = base64Between('{"type":"append","audio":"', '"}');
    const sound = new EncodedSound(tone(20, 16_000), { ...raw, message }, 20);
    const { text } = sound.at(0) as { text: Uint8Array };
    const value = JSON.parse(Buffer.from(text).toString());
    expect(new Uint8Array(Buffer.from(value.audio, 'base64'))).toEqual(sound.samples(0));
  });
});
