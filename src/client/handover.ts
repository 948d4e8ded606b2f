import type { Replay } from '../protocol/client-messages.ts';
import type { PhonemeResult } from '../protocol/result.ts';
import type { ServerEvent } from '../protocol/server-messages.ts';

/** Where frames stand: the next frame's number, and the sample that it is due at. */
export type FramePlace = { seq: number; sample: number };

/**
 * What a client has to remember so that its session can go on at a gateway that has never heard of
 * it: where each text began whose final is missing, and what it was told of it. `keep_from` in an
 * ack says that there may be such a gateway.
 */
export class Handover {
  /** Undefined until the first ack tells. */
  #isDurable: boolean | undefined;
  #firstId = 1;
  /** The oldest whose final is missing and all that began after it, by their number from 0. */
  #utterances: Begun[] = [{ place: { seq: 0, sample: 0 }, told: newlyTold(), isFinal: false }];
  /** How many are before those. */
  #settled = 0;
  #speechMs: number | undefined;

  firstUtteranceIs(id: number): void {
    this.#firstId = id;
  }

  /** The next utterance begins at this place. */
  begun(place: FramePlace): void {
    this.#utterances.push({ place, told: newlyTold(), isFinal: false });
    this.#settle();
  }

  heard(event: ServerEvent): void {
    if (event.type === 'ack') this.#isDurable = event.keep_from !== undefined;
    else if (event.type === 'speech') this.#speechMs = event.at_ms;
    else if (event.type === 'phoneme_feedback' || event.type === 'transcript') this.#tell(event);
    else if (event.type === 'utterance_final') {
      const utterance = this.#find(event.utterance_id);
      if (utterance) utterance.isFinal = true;
      this.#settle();
    }
  }

  /** How many utterances from the first on have their finals, without one missing between. */
  get settled(): number {
    return this.#settled;
  }

  /** The frame from which on sound has to be kept when the server has everything before `acked`. */
  keepFrom(acked: number): number {
    const oldest = this.#utterances[0];
    return this.#isDurable === false || !oldest ? acked : oldest.place.seq;
  }

  /** @param kept the first frame that can be sent again; undefined: no other gateway is to know */
  replay(kept: FramePlace): Replay | undefined {
    // Until an ack has told, everything is kept.
    if (this.#isDurable === false) return undefined;
    const place = this.#utterances[0]?.place ?? kept;
    if (kept.seq > place.seq) return undefined;
    const told = this.#utterances.slice(0, mostTold).map(({ told, isFinal }, at) => ({
      utterance_id: this.#firstId + this.#settled + at,
      audio_ms: told.audioMs,
      rev: told.rev,
      finals: isFinal ? [] : rangesOf(told.finals),
      ...(isFinal && { is_final: true }),
    }));
    return {
      utterance_id: this.#firstId + this.#settled,
      epoch: 0,
      ...place,
      ...(this.#speechMs !== undefined && { speech_ms: this.#speechMs }),
      told,
    };
  }

  #tell(event: Extract<ServerEvent, { type: 'phoneme_feedback' | 'transcript' }>): void {
    const told = this.#isDurable === false ? undefined : this.#find(event.utterance_id)?.told;
    if (!told) return;
    told.audioMs = Math.max(told.audioMs, event.audio_ms);
    told.rev = Math.max(told.rev, event.rev);
    if (event.type === 'phoneme_feedback') addFinals(told.finals, event.phonemes);
  }

  #find(id: number): Begun | undefined {
    return this.#utterances[id - this.#firstId - this.#settled];
  }

  #settle(): void {
    while (this.#utterances[0]?.isFinal) {
      this.#utterances.shift();
      this.#settled += 1;
    }
  }
}

type Told = { audioMs: number; rev: number; finals: Set<number> };
type Begun = { place: FramePlace; told: Told; isFinal: boolean };

function newlyTold(): Told {
  return { audioMs: 0, rev: 0, finals: new Set() };
}

function addFinals(finals: Set<number>, phonemes: readonly PhonemeResult[]): void {
  for (const { index, status } of phonemes) if (status === 'final') finals.add(index);
}

function rangesOf(indices: ReadonlySet<number>): [number, number][] {
  const ranges: [number, number][] = [];
  for (const index of [...indices].sort((a, b) => a - b)) {
    const last = ranges.at(-1);
    if (last && last[1] === index - 1) last[1] = index;
    else ranges.push([index, index]);
  }
  return ranges;
}

/** As many as a server has open at once, and their like. */
const mostTold = 64;
