import type { Samples } from '../../acoustic/engine/types.ts';
import { SpeechfbError } from '../../errors.ts';
import { eachPhone, joinPhones, type WrittenPhones } from '../../protocol/written-phones.ts';
import type { PipelineEvents, UtterancePipeline } from '../../scoring/pipeline.ts';
import type { Reference } from '../../scoring/text/reference.ts';
import type { Progress, TimedResult } from '../../scoring/utterance-scorer.ts';
import type { HeardFeedback } from '../wire/items.ts';
import type { Result } from '../wire/speechfb/v1/inference_pb.ts';
import { Leg, type LegSettings, type Place } from './leg.ts';
import { RetainedSound } from './retained-sound.ts';
import type { TrunkBlocks } from './trunk-blocks.ts';

export type RemoteUtteranceOptions = {
  reference: Reference;
  /** The rate of the sound that is pushed. */
  sampleRateHz: number;
  settings: LegSettings;
  maxRetainedBytes: number;
  blocks: TrunkBlocks;
  events: PipelineEvents;
  /** The result of an utterance without sound. */
  unheard(isWanted: () => boolean): Promise<TimedResult>;
  /** It has sound and no place. */
  onHomeless(utterance: RemoteUtterance): void;
  /** The node broke its word to it. */
  onBroken(place: Place, why: string): void;
  onSwitched(): void;
  onClosed(utterance: RemoteUtterance): void;
};

/**
 * One utterance that is scored at a node. Its sound is kept until the result, so that another node
 * can take over at any moment: that one hears everything from the beginning, and what the learner
 * was told before is not told again. Since scores do not depend on how sound was cut, the seam
 * cannot be seen.
 */
export class RemoteUtterance implements UtterancePipeline {
  readonly #options: RemoteUtteranceOptions;
  // What is read with each frame is kept here: an object of options costs a search each time.
  readonly #sampleRateHz: number;
  readonly #events: PipelineEvents;
  readonly #sound: RetainedSound;
  /** The final phones that were told, by index. */
  readonly #finals = new Set<number>();
  #leg: Leg | undefined;
  /** Catches up at another node, to take over from the leg. */
  #successor: Leg | undefined;
  /** Sound that came, gaps among it, ms. */
  #sentMs = 0;
  /** Sound up to which feedback was told, ms. */
  #toldMs = -1;
  /** What a replay said of the reading while it caught up. */
  #progress: Progress | undefined;
  #failures = 0;
  #finish: { resolve(result: TimedResult): void; reject(error: Error): void } | undefined;
  #state: 'open' | 'finishing' | 'over' = 'open';

  constructor(options: RemoteUtteranceOptions) {
    this.#options = options;
    this.#sampleRateHz = options.sampleRateHz;
    this.#events = options.events;
    this.#sound = new RetainedSound(options.maxRetainedBytes, options.blocks);
  }

  /** Where it is scored now. */
  get place(): Place | undefined {
    return this.#leg?.place;
  }

  get retainedBytes(): number {
    return this.#sound.bytes;
  }

  push(pcm: Samples): void {
    if (this.#state !== 'open' || pcm.length === 0) return;
    this.#sound.add(pcm);
    this.#sentMs += (pcm.length / this.#sampleRateHz) * 1000;
    this.#touch();
  }

  gap(ms: number): void {
    if (this.#state !== 'open') return;
    this.#sound.gap(ms);
    this.#sentMs += ms;
    this.#touch();
  }

  finish(): Promise<TimedResult> {
    this.#state = 'finishing';
    if (this.#sound.isEmpty) {
      return this.#options.unheard(() => this.#state !== 'over').finally(() => this.close());
    }
    return new Promise((resolve, reject) => {
      this.#finish = { resolve, reject };
      this.#leg?.finish();
      this.#successor?.finish();
    });
  }

  close(): void {
    if (this.#state === 'over') return;
    this.#state = 'over';
    this.#leg?.close();
    this.#successor?.close();
    this.#leg = undefined;
    this.#successor = undefined;
    this.#sound.clear();
    this.#options.onClosed(this);
  }

  /** Begins at a place, or begins again at another. */
  settle(place: Place): void {
    if (this.#state === 'over') return;
    this.#leg?.close();
    this.#leg = this.#successor?.place === place ? this.#successor : this.#newLeg(place);
    this.#successor = undefined;
  }

  /** Lets another place catch up, and goes on there when it has. */
  moveTo(place: Place): void {
    if (this.#state === 'over') return;
    if (!this.#leg) {
      this.settle(place);
      return;
    }
    // Who has no beginning to hear again stays, as long as its node does.
    if (!this.#sound.isWhole) return;
    this.#successor?.close();
    this.#successor = this.#newLeg(place);
  }

  /** The slot is lost, though its node may live. */
  lose(place: Place): void {
    if (this.#successor?.place === place) this.#onGone(this.#successor);
    if (this.#leg?.place === place) this.#onGone(this.#leg);
  }

  /** Fails for good. */
  fail(error: Error): void {
    const finish = this.#finish;
    this.close();
    if (finish) finish.reject(error);
    else this.#events.onError(error);
  }

  #touch(): void {
    if (!this.#leg) {
      this.#options.onHomeless(this);
      return;
    }
    this.#leg.touch();
    this.#successor?.touch();
    // Who catches up has yet to hear all of it.
    if (!this.#successor) this.#sound.trim(this.#leg.cursor);
  }

  #newLeg(place: Place): Leg {
    const { reference, settings } = this.#options;
    const leg: Leg = new Leg({
      place,
      reference,
      settings,
      sound: this.#sound,
      events: {
        onFeedback: (feedback) => this.#believing(leg, () => this.#onFeedback(leg, feedback)),
        onResult: (result) => this.#believing(leg, () => this.#onResult(result)),
        onFailed: (code, message) => this.#onFailed(leg, code, message),
        onGone: () => this.#onGone(leg),
      },
    });
    if (this.#state === 'finishing') leg.finish();
    return leg;
  }

  /** What a node says may be anything: then the utterance goes on at another. */
  #believing(leg: Leg, hear: () => void): void {
    try {
      hear();
    } catch (error) {
      if (!(error instanceof NotBelieved)) throw error;
      this.#onFailed(leg, 'trunk_fault', error.message);
    }
  }

  #onFeedback(leg: Leg, feedback: HeardFeedback): void {
    const { audioMs, progressJson } = feedback;
    this.#checkFeedback(feedback);
    const progress: Progress | undefined = progressJson.length > 0 ? parse(progressJson) : undefined;
    if (leg === this.#successor) {
      this.#progress = progress ?? this.#progress;
      if (audioMs < this.#toldMs) return;
      this.#switch();
      if (audioMs === this.#toldMs) return;
    }
    if (audioMs <= this.#toldMs) {
      // A replay: the learner knows it.
      this.#progress = progress ?? this.#progress;
      return;
    }
    this.#tell(feedback, progress ?? this.#progress);
  }

  /** @throws NotBelieved */
  #checkFeedback({ audioMs, marks, phonesJson }: HeardFeedback): void {
    if (!(audioMs >= 0 && audioMs <= this.#sentMs + mostAheadMs)) throw new NotBelieved('feedback of sound never sent');
    const end = marks.length === 0 ? 0 : marks.at(-1);
    if (marks.length % 3 !== 0 || end !== phonesJson.length)
      throw new NotBelieved('feedback with marks beside its text');
  }

  #tell({ audioMs, phonesJson, marks, timing, ageMs }: HeardFeedback, progress: Progress | undefined): void {
    this.#toldMs = audioMs;
    this.#progress = undefined;
    const phones = this.#withoutKnown({ text: phonesJson, marks });
    const { queue = 0, features = 0, asr = 0, scoring = 0 } = timing ?? {};
    this.#events.onFeedback?.({
      audioMs,
      phones,
      ...(progress && { progress }),
      timing: { queue, features, asr, scoring },
      ageMs,
    });
  }

  /** The phones but those that were told as final before. */
  #withoutKnown(written: WrittenPhones): WrittenPhones {
    let isKnown = false;
    for (let at = 0; at < written.marks.length; at += 3) isKnown ||= this.#finals.has(written.marks[at]!);
    const phones = isKnown ? joinPhones(eachPhone(written).filter(({ index }) => !this.#finals.has(index))) : written;
    for (let at = 0; at < phones.marks.length; at += 3) {
      if (phones.marks[at + 1] === 1) this.#finals.add(phones.marks[at]!);
    }
    return phones;
  }

  #onResult({ resultJson }: Result): void {
    const finish = this.#finish;
    const result: TimedResult = parse(resultJson);
    checkResult(result, this.#options.reference);
    this.close();
    finish?.resolve(result);
  }

  #onFailed(leg: Leg, code: string, message: string): void {
    const { onBroken } = this.#options;
    if (code === 'invalid_reference') {
      this.fail(new SpeechfbError(code, message));
      return;
    }
    // A node that grants what it does not have is no node to go back to.
    if (code === 'no_lease') onBroken(leg.place, `it granted a slot that it does not have: ${message}`);
    if (code === 'trunk_fault') onBroken(leg.place, message);
    this.#failures += 1;
    if (this.#failures > mostFailures)
      this.fail(new Error(`an utterance failed at ${mostFailures + 1} nodes: ${message}`));
    else this.#onGone(leg);
  }

  /** The leg is no more: its successor takes over, or another place is found. */
  #onGone(leg: Leg): void {
    if (this.#state === 'over') return;
    if (leg === this.#successor) {
      this.#successor = undefined;
      leg.close();
      return;
    }
    if (leg !== this.#leg) return;
    leg.close();
    if (this.#successor) {
      this.#switch();
      return;
    }
    this.#leg = undefined;
    if (this.#sound.isWhole) this.#options.onHomeless(this);
    else
      this.fail(new SpeechfbError('node_lost', 'the node died, and the text was read for longer than sound is kept'));
  }

  #switch(): void {
    this.#leg?.close();
    this.#leg = this.#successor;
    this.#successor = undefined;
    this.#options.onSwitched();
  }
}

/** What a node said cannot be so. */
class NotBelieved extends Error {}

/** @throws NotBelieved */
function parse<Value>(bytes: Uint8Array): Value {
  try {
    return JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8'));
  } catch {
    throw new NotBelieved('what should be JSON is none');
  }
}

/**
 * A result that a session can be told: every word of the text, with its phones.
 *
 * @throws NotBelieved
 */
function checkResult(result: Partial<TimedResult> | null, { words }: Reference): void {
  const told = result?.words;
  const isWhole =
    Array.isArray(told) &&
    told.length === words.length &&
    told.every((word) => Array.isArray(word?.phonemes)) &&
    Array.isArray(result?.deviations) &&
    [result?.scores, result?.pace, result?.timing].every((part) => typeof part === 'object' && part !== null);
  if (!isWhole) throw new NotBelieved('a result of another text');
}

/** A model pads the end of a text with silence to hear the last of it. */
const mostAheadMs = 2000;

/** Nodes at which one utterance may fail before it is given up. */
const mostFailures = 2;
