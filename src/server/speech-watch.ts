import type { Outbox } from './outbox.ts';

/** Hears where speech begins and ends in a session's sound. */
export type SpeechWatch = {
  push(pcm: Float32Array): void;
  gap(ms: number): void;
};

export function createSpeechWatch(_outbox: Outbox): SpeechWatch {
  return { push() {}, gap() {} };
}
