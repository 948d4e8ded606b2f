import type { AcousticFrames } from '../acoustic/engine/types.ts';
import type { Deviation } from '../protocol/result.ts';
import { Aligner, type Segment } from './align/aligner.ts';
import { type AlignmentEvent, readEnd, readSegment } from './align/alignment-events.ts';
import { FrameGaps } from './align/frame-gaps.ts';
import { FrameStore } from './align/frame-store.ts';
import { type Alphabet, buildGraph, type Graph } from './align/graph.ts';
import { InsertionWatch } from './align/insertions.ts';
import { patience, penalties } from './align/penalties.ts';
import { PhoneLoop } from './align/phone-loop.ts';
import type { Calibrator } from './calibrate/calibrator.ts';
import { phoneColumns } from './calibrate/features.ts';
import { type PhoneScoring, type ScoredPhone, scorePhone } from './phone-scorer.ts';
import type { Reference } from './text/reference.ts';

/** The part of an acoustic model that the scorer needs. */
export type ScorerModel = Alphabet & { strideMs: number; alignmentBias?: readonly number[] };

/** A stretch of silence, in frames. */
export type Pause = { start: number; end: number };

/** A phone passed over this near to lost audio may have been said in it, frames. */
const gapReach = 5;

/**
 * Scores one utterance while it is read: acoustic frames in, phones out, each final as soon as it
 * is certain.
 */
export class LiveScorer {
  readonly graph: Graph;
  readonly calibrator: Calibrator;
  /** Silences between and around the words that are over. */
  readonly pauses: Pause[] = [];
  /**
   * Whether what was found of the text, in speech outside it, is there by chance; known when the
   * utterance is over.
   */
  isDoubted = false;
  readonly #model: ScorerModel;
  readonly #nbest: number;
  readonly #silence: number;
  readonly #emission: Float32Array;
  readonly #bias: Float32Array;
  readonly #aligner: Aligner;
  /** Final phones by their place in the utterance. */
  readonly #finals = new Map<number, ScoredPhone>();
  /** Words passed over and not read since: the frame at which that happened. */
  readonly #skipped = new Map<number, number>();
  readonly #deviations: Deviation[] = [];
  readonly #gaps = new FrameGaps();
  readonly #insertions: InsertionWatch;
  /** What the sound is worth to somebody who does not know the text. */
  readonly #loop: PhoneLoop;
  #scoring: PhoneScoring;
  #repeating: Deviation | undefined;
  #previous = -1;
  #fresh: ScoredPhone[] = [];
  /** Provisional phones as last handed out, by their place in the utterance. */
  readonly #shown = new Map<number, ScoredPhone>();

  /** @param options `graph`: that of the reference, where it has been built before. */
  constructor(
    reference: Reference,
    model: ScorerModel,
    calibrator: Calibrator,
    options: { nbest: number; graph?: Graph },
  ) {
    this.graph = options.graph ?? buildGraph(reference, model);
    this.calibrator = calibrator;
    this.#model = model;
    this.#nbest = options.nbest;
    this.#silence = model.phones.indexOf(model.silence);
    this.#insertions = new InsertionWatch(model);
    this.#loop = new PhoneLoop(model.phones.length, penalties.outsidePhone);
    this.#emission = new Float32Array(model.phones.length + 2);
    this.#bias = Float32Array.from(model.phones, (_, k) => model.alignmentBias?.[k] ?? 0);
    this.#scoring = this.#prepare(0);
    this.#aligner = new Aligner(this.graph, penalties, patience, {
      onPhone: (segment) => this.#publish(segment),
      onSettled: (segment) => this.#settle(segment),
    });
  }

  /** Frames heard so far. */
  get frames(): number {
    return this.#aligner.frames;
  }

  /** Takes the next frames of the utterance: of `frames` the rows [from, to). */
  push(frames: AcousticFrames, from = 0, to = frames.count): void {
    const logits = frames.scoreLogit ? frames.scoreLogit.length / Math.max(1, frames.count) : 0;
    if (this.frames === 0 && logits > 0) this.#scoring = this.#prepare(logits);
    const { store } = this.#scoring;
    for (let row = from; row < to; row++) {
      store.add(frames.logPosterior, frames.scoreLogit, row);
      this.#emit(frames.logPosterior, row * this.#model.phones.length);
      this.#aligner.step(this.#emission);
    }
  }

  /** Frames [start, end), not heard yet, will carry no sound because it was lost. */
  markGap(start: number, end: number): void {
    this.#gaps.add(start, end);
  }

  /**
   * Phones that became final since the last call, and those that are likely but not certain yet
   * where they are new or lie elsewhere than before: the same segment has the same scores.
   */
  takeChanges(): { final: ScoredPhone[]; provisional: ScoredPhone[] } {
    const final = this.#fresh;
    this.#fresh = [];
    for (const { result } of final) this.#shown.delete(result.index);
    const provisional: ScoredPhone[] = [];
    for (const segment of this.#aligner.unsettled()) {
      if (segment.state >= this.graph.phones) continue;
      const place = this.#placeOf(segment.state);
      if (this.#finals.has(place) || this.#isShown(place, segment)) continue;
      const scored = this.#score(segment, 'provisional');
      this.#shown.set(place, scored);
      provisional.push(scored);
    }
    return { final, provisional };
  }

  /** No more sound: everything becomes final; words never reached count as skipped. */
  finish(): void {
    for (const _ of this.finishing());
  }

  /** Does what `finish` does, in steps of a word: others may have a turn between them. */
  *finishing(): Generator<void, void> {
    this.#aligner.finish();
    for (const event of readEnd(this.graph, this.#previous, this.frames)) this.#note(event);
    this.#doubt();
    yield;
    const isAnyRead = this.#isAnyRead();
    for (let word = 0; word < this.graph.words; word++) {
      this.#complete(word, isAnyRead);
      yield;
    }
    this.#insertions.report(this.#deviations, this.graph.words);
    yield;
  }

  /** The final phones of a word, in order; none of them twice. */
  finalsOf(word: number): ScoredPhone[] {
    const found: ScoredPhone[] = [];
    const { firstIndex } = this.graph;
    for (let place = firstIndex[word]!; place < firstIndex[word + 1]!; place++) {
      const phone = this.#finals.get(place);
      if (phone) found.push(phone);
    }
    return found;
  }

  /** Whether the last phone of one of the word's variants is final. */
  isComplete(word: number): boolean {
    return this.finalsOf(word).some((phone) => this.graph.ends[phone.state]! >= 0);
  }

  /**
   * Where the reading left the text so far, in order of time; neighbouring skipped words as one.
   */
  deviations(): Deviation[] {
    const all = [...this.#deviations];
    let last: Deviation | undefined;
    for (const [word, at] of [...this.#skipped].sort(([a], [b]) => a - b)) {
      if (last?.last_word === word - 1) last.last_word = word;
      else {
        last = this.#deviation('skipped', word, word, at, at);
        all.push(last);
      }
    }
    return all.sort((a, b) => a.start_ms - b.start_ms);
  }

  /** @param logits Width of the model's score head, 0 for none: known with the first frames. */
  #prepare(logits: number): PhoneScoring {
    const { strideMs, phones } = this.#model;
    const store = new FrameStore(phones.length, logits);
    const columns = phoneColumns(this.#model, logits);
    return { graph: this.graph, store, columns, calibrator: this.calibrator, strideMs, nbest: this.#nbest };
  }

  /** Log scores of one frame for the aligner. */
  #emit(logPosterior: Float32Array, offset: number): void {
    const emission = this.#emission;
    const bias = this.#bias;
    const silence = this.#silence;
    if (this.#gaps.touch(this.frames, this.frames + 1)) {
      // Nothing is known of this frame: every place in the text stays as likely as it was.
      emission.fill(0);
      this.#insertions.lost();
      return;
    }
    this.#insertions.hear(logPosterior, offset);
    let likeliest = -Infinity;
    for (let k = 0; k < bias.length; k++) {
      const heard = logPosterior[offset + k]! + bias[k]!;
      const value = heard < penalties.floor ? penalties.floor : heard;
      emission[k] = value;
      if (value > likeliest && k !== silence) likeliest = value;
    }
    emission[this.graph.fillerColumn] = likeliest - penalties.fillerFrame;
    emission[this.graph.outsideColumn] = this.#loop.step(emission) - penalties.outsideFrame;
  }

  #settle(segment: Segment): void {
    for (const event of readSegment(this.graph, this.#previous, segment)) this.#note(event);
    this.#previous = segment.state;
  }

  #note(event: AlignmentEvent): void {
    switch (event.kind) {
      case 'phone':
        this.#skipped.delete(this.graph.word[event.state]!);
        this.#insertions.read(this.graph, event);
        this.#extendRepeat(event);
        this.#publish(event);
        return;
      case 'omitted':
        this.#publish({ state: event.state, start: event.at, end: event.at });
        return;
      case 'skipped':
        if (this.finalsOf(event.word).length === 0) this.#skipped.set(event.word, event.at);
        return;
      case 'silence':
        this.pauses.push({ start: event.start, end: event.end });
        return;
      case 'repeated':
        this.#repeating = this.#deviation('repeated', event.from, event.to, event.at, event.at);
        this.#deviations.push(this.#repeating);
        return;
      case 'other_words':
        this.#deviations.push(this.#deviation('other_words', event.before, event.before, event.start, event.end));
    }
  }

  /** A repeat lasts until the reading goes past the word at which it began. */
  #extendRepeat({ state, end }: { state: number; end: number }): void {
    const last = this.#repeating;
    if (!last) return;
    if (this.graph.word[state]! > last.last_word) this.#repeating = undefined;
    else last.end_ms = end * this.#model.strideMs;
  }

  /**
   * Speech that goes on around the text has places that sound a little like any word: what was
   * found there and fits no better than by chance was not read, and all of the text was left out.
   */
  #doubt(): void {
    const outside = this.#deviations.filter(
      ({ kind, first_word }) => kind === 'other_words' && (first_word === 0 || first_word === this.graph.words),
    );
    const gops = [...this.#finals.values()].flatMap(({ start, end, result: { gop } }) =>
      end > start ? (gop ?? []) : [],
    );
    if (outside.length === 0 || gops.length === 0) return;
    this.isDoubted = gops.reduce((sum, gop) => sum + gop, 0) / gops.length < penalties.doubtedGop;
    if (!this.isDoubted) return;
    for (const { word, start } of this.#finals.values()) {
      if (!this.#skipped.has(word)) this.#skipped.set(word, start);
    }
  }

  #isAnyRead(): boolean {
    return !this.isDoubted && [...this.#finals.values()].some(({ start, end }) => end > start);
  }

  /**
   * Phones of the word that were never heard are left out; in a word without any they have no
   * accuracy.
   */
  #complete(word: number, isAnyRead: boolean): void {
    const heard = this.finalsOf(word);
    const states = new Set(heard.map((phone) => phone.state));
    const matches = (variant: Int16Array) => variant.reduce((count, state) => count + (states.has(state) ? 1 : 0), 0);
    const variants = this.graph.variants[word]!;
    const read = variants.reduce((best, variant) => (matches(variant) > matches(best) ? variant : best));
    const at = heard.at(-1)?.end ?? this.#skipped.get(word) ?? this.frames;
    for (const state of read) {
      const phone = this.#publish({ state, start: at, end: at });
      if (phone && heard.length === 0 && phone.score !== null)
        phone.result = { ...phone.result, accuracy: isAnyRead ? 0 : null };
    }
  }

  /**
   * The first reading of a phone counts: what was published never changes, also when the word is
   * read again.
   */
  #publish(segment: Segment): ScoredPhone | undefined {
    const place = this.#placeOf(segment.state);
    if (this.#finals.has(place)) return undefined;
    const scored = this.#asShown(place, segment) ?? this.#score(segment, 'final');
    this.#finals.set(place, scored);
    this.#fresh.push(scored);
    return scored;
  }

  /**
   * The phone that was handed out provisionally with this very segment: its scores would come out
   * the same.
   */
  #asShown(place: number, { state, start, end }: Segment): ScoredPhone | undefined {
    const shown = this.#shown.get(place);
    if (shown?.state !== state || shown.start !== start || shown.end !== end) return undefined;
    if (shown.features === undefined || this.#gaps.touch(start, end)) return undefined;
    return { ...shown, saidAt: this.frames, result: { ...shown.result, status: 'final' } };
  }

  #score(segment: Segment, status: 'provisional' | 'final'): ScoredPhone {
    const reach = segment.end > segment.start ? 0 : gapReach;
    const lost = this.#gaps.touch(segment.start - reach, segment.end + reach);
    return scorePhone(this.#scoring, segment, status, this.frames, lost);
  }

  /**
   * Whether the place's phone was handed out with these bounds; two states of a place may stand for
   * one phone.
   */
  #isShown(place: number, { state, start, end }: Segment): boolean {
    const shown = this.#shown.get(place);
    const { emission } = this.graph;
    return shown?.start === start && shown.end === end && emission[shown.state] === emission[state];
  }

  #placeOf(state: number): number {
    return this.graph.firstIndex[this.graph.word[state]!]! + this.graph.depth[state]!;
  }

  #deviation(kind: Deviation['kind'], first: number, last: number, start: number, end: number): Deviation {
    const { strideMs } = this.#model;
    return { kind, first_word: first, last_word: last, start_ms: start * strideMs, end_ms: end * strideMs };
  }
}
