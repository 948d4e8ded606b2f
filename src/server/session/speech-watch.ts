import type { Samples } from '../../acoustic/engine/types.ts';
import { Vad } from '../../audio/vad.ts';

/** Hears where speech begins and ends in a session's sound. */
export class SpeechWatch {
  readonly #vad: Vad;
  readonly #report: (state: 'began' | 'ended', atMs: number) => void;
  #lostMs = 0;

  /** @param report called with times on the session's clock. */
  constructor(sampleRateHz: number, report: (state: 'began' | 'ended', atMs: number) => void) {
    this.#vad = new Vad({ sampleRateHz });
    this.#report = report;
  }

  push(pcm: Samples): void {
    for (const { type, atMs } of this.#vad.push(pcm)) this.#report(type, atMs + this.#lostMs);
  }

  /** Time passes without sound. */
  gap(ms: number): void {
    this.#lostMs += ms;
  }
}
