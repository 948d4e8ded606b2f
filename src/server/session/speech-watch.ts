import { createVad } from '../../audio/vad.ts';

/** Hears where speech begins and ends in a session's sound. */
export type SpeechWatch = {
  push(pcm: Float32Array): void;
  /** Time passes without sound. */
  gap(ms: number): void;
};

/** `atMs` of what is told is on the session's clock. */
export function createSpeechWatch(
  sampleRateHz: number,
  tell: (state: 'began' | 'ended', atMs: number) => void,
): SpeechWatch {
  const vad = createVad({ sampleRateHz });
  let lostMs = 0;
  return {
    push(pcm) {
      for (const { type, atMs } of vad.push(pcm)) tell(type, atMs + lostMs);
    },
    gap(ms) {
      lostMs += ms;
    },
  };
}
