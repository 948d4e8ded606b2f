import { type AudioFrame, decodeFrame, frameHeaderBytes } from '../../protocol/frame.ts';
import { type Limits, wireName } from '../limits.ts';
import type { Refusal } from '../refusal.ts';

/** Bytes of the longest message that `readFrame` reads. */
export function mostSoundBytes({ maxFrameBytes }: Limits): number {
  return frameHeaderBytes + maxFrameBytes;
}

/** The audio frame in a binary message, or why it is none. */
export function readFrame(data: Buffer, { maxFrameBytes }: Limits): AudioFrame | Refusal {
  const payloadBytes = data.length - frameHeaderBytes;
  if (payloadBytes > maxFrameBytes) {
    const message = `a frame of ${payloadBytes} bytes; max_frame_bytes is ${maxFrameBytes}`;
    return { code: 'too_large', message, limit: 'maxFrameBytes' };
  }
  const decoded = decodeFrame(data);
  if (decoded.ok) return decoded.frame;
  return { code: decoded.fault === 'codec' ? 'unsupported_audio' : 'invalid_frame', message: decoded.message };
}

/** The refusal of a text message that is too long to be read. */
export function tooLarge(data: Buffer, { maxMessageBytes }: Limits): Refusal | undefined {
  if (data.length <= maxMessageBytes) return undefined;
  const message = `a message of ${data.length} bytes; at most ${maxMessageBytes} are read (max_message_bytes)`;
  return { code: 'too_large', message, limit: 'maxMessageBytes' };
}

/** The refusal of more messages of a kind than anybody needs. */
export function flood(what: keyof typeof floods, retryAfterMs: number): Refusal {
  const { sentence, limit } = floods[what];
  return { code: 'rate_limited', message: `${sentence} (${wireName(limit)})`, retryAfterMs, limit };
}

const floods = {
  frames: { sentence: 'more audio frames than any sound needs', limit: 'framesPerSecond' },
  messages: { sentence: 'too many messages a second', limit: 'messagesPerSecond' },
  pings: { sentence: 'too many pings a second', limit: 'pingsPerSecond' },
} as const satisfies Record<string, { sentence: string; limit: keyof Limits }>;
