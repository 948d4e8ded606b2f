import type { ServerEvent } from '../../protocol/server-messages.ts';

/**
 * Counts the frames of one session that its servers gave up (`info` `audio_gap`), each once: it is
 * counted when an acknowledgement has passed it, since until then it is among those that nobody
 * acknowledged. A gateway that takes the session up from an earlier frame hears again what is
 * behind that, and tells its gaps anew.
 */
export class MissedFrames {
  /** Frames that were given up, before which frame, in order: another gateway may yet hear them. */
  readonly #gaps: { beforeSeq: number; frames: number }[] = [];
  #settled = 0;
  /** Frames that were given up since the newest acknowledgement. */
  #told = 0;
  /** The frame that the newest acknowledgement says is next. */
  #nextSeq = 0;

  get count(): number {
    return this.#gaps.reduce((sum, { frames }) => sum + frames, this.#settled);
  }

  hear(event: ServerEvent): void {
    if (event.type === 'info') this.#told += event.frames ?? 0;
    else if (event.type === 'ack') this.#acknowledged(event.next_seq, event.keep_from ?? event.next_seq);
    else if (event.type === 'ready') this.#begun(event.next_seq);
  }

  #acknowledged(nextSeq: number, keepFrom: number): void {
    if (this.#told > 0) this.#gaps.push({ beforeSeq: nextSeq, frames: this.#told });
    this.#told = 0;
    this.#nextSeq = nextSeq;
    while (this.#gaps[0] && this.#gaps[0].beforeSeq <= keepFrom) this.#settled += this.#gaps.shift()!.frames;
  }

  /** The session begins, or goes on at this frame, after a cut or at another gateway. */
  #begun(nextSeq: number): void {
    const knowsWhatWasTold = nextSeq > this.#nextSeq;
    if (this.#told > 0 && knowsWhatWasTold) this.#gaps.push({ beforeSeq: nextSeq, frames: this.#told });
    this.#told = 0;
    this.#nextSeq = nextSeq;
    while ((this.#gaps.at(-1)?.beforeSeq ?? 0) > nextSeq) this.#gaps.pop();
  }
}
