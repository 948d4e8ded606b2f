import { byteRate } from '../../format.ts';

/**
 * How the phone encodes what it sends. `bitsPerSecond` is given for codecs whose rate is a choice.
 */
export type AudioFormat = {
  codec: Codec;
  sampleRateHz: number;
  channels: number;
  bitsPerSecond?: number | undefined;
};

export const codecs = ['pcm16', 'mulaw', 'alaw', 'opus'] as const;
type Codec = (typeof codecs)[number];

/**
 * Bytes of audio that one speaking learner sends each second. pcm16 mono: 16,000 at 8 kHz, 32,000
 * at 16 kHz.
 */
export function audioBytesPerSecond({ codec, sampleRateHz, channels, bitsPerSecond }: AudioFormat): number {
  if (codec === 'opus') return (bitsPerSecond ?? opusSpeechBitsPerSecond) / 8;
  return sampleRateHz * channels * (codec === 'pcm16' ? 2 : 1);
}

/**
 * What one learner's frames weigh on the wire each second: audio, frame header, WebSocket, TLS 1.3
 * and TCP/IP.
 */
export function wireBytesPerSecond(format: AudioFormat, frameMs: number): number {
  return audioBytesPerSecond(format) + (1000 / frameMs) * frameOverheadBytes;
}

/**
 * What 16 kB/s means. The same "16 kB/s" is 8 kHz pcm16 or 16 kHz compressed two to one; 16 kHz
 * pcm16 is 32 kB/s, and a plan that mixes them up is wrong by two.
 */
export function codecNote(format: AudioFormat): string {
  const { codec, sampleRateHz, channels } = format;
  const layout = channels === 1 ? 'mono' : `${channels} channels`;
  const rate = byteRate(audioBytesPerSecond(format));
  const own = `${codec} ${sampleRateHz / 1000} kHz ${layout} is ${rate} a stream`;
  if (codec === 'pcm16' && sampleRateHz < 16_000)
    return `${own}; the acoustic model hears 16 kHz, which as pcm16 mono is 32 kB/s, so twice this ingress or more`;
  if (codec === 'mulaw' || codec === 'alaw') return `${own}, one byte a sample; 16 kHz pcm16 mono is 32 kB/s`;
  return codec === 'opus' ? `${own}; 16 kHz pcm16 mono would be 32 kB/s` : own;
}

/** Wideband speech at the rate that RFC 7587 (3.1.1) recommends for it. */
const opusSpeechBitsPerSecond = 20_000;

/**
 * speechfb.v1 frame header 24, masked WebSocket header 8, TLS 1.3 record 22, TCP with timestamps
 * 32, IPv4 20.
 */
const frameOverheadBytes = 24 + 8 + 22 + 32 + 20;
