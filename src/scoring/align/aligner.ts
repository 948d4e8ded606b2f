import type { Graph } from './graph.ts';
import type { Patience, Penalties } from './penalties.ts';
import { historyFrames, Viterbi } from './viterbi.ts';

/** A stretch of frames [start, end) in one state of the graph. */
export type Segment = { state: number; start: number; end: number };

export type AlignerEvents = {
  /** A phone's segment is certain: once for each state. */
  onPhone(segment: Segment): void;
  /**
   * The reading as it is settled about a second later: every segment once, in order, without holes.
   */
  onSettled(segment: Segment): void;
};

/**
 * Online alignment: takes frames one by one, hands out each phone as soon as it is certain and,
 * later, the whole course of the reading.
 *
 * The two differ on purpose. A phone must be final within a fraction of a second, and is sometimes
 * handed out wrongly (in noise before the first word, say). The search is not bound by that: it
 * goes on with all hypotheses, so that one wrong phone costs one phone, not the rest of the
 * sentence.
 */
export class Aligner {
  readonly #graph: Graph;
  readonly #margin: number;
  readonly #settleFrames: number;
  readonly #patience: Patience;
  readonly #search: Viterbi;
  readonly #events: AlignerEvents;
  readonly #path = new Int16Array(historyFrames);
  /** Frames that #path was traced over. */
  #traced = 0;
  /** Newest settled frame, and the segment that goes on there. */
  #settled = -1;
  #openState = -1;
  #openStart = 0;
  /** [phones] 1 for states that were handed out. */
  readonly #said: Uint8Array;

  constructor(graph: Graph, costs: Penalties, patience: Patience, events: AlignerEvents) {
    this.#graph = graph;
    this.#margin = costs.outsideMargin;
    this.#settleFrames = graph.words > 2 ? patience.settleFrames : patience.shortSettleFrames;
    this.#patience = patience;
    this.#search = new Viterbi(graph, costs);
    this.#events = events;
    this.#said = new Uint8Array(graph.phones);
  }

  /** Frames taken so far. */
  get frames(): number {
    return this.#search.frames;
  }

  /**
   * One frame: a log score for each model phone, then one for other words and one for sound outside
   * the text.
   */
  step(emission: Float32Array): void {
    this.#search.step(emission);
    this.#trace(this.#search.best);
    this.#sayCertain();
    if (this.frames - this.#settled > historyFrames - 2) this.#settle(this.frames - this.#settleFrames);
  }

  /** The likeliest segments that are not settled; the last is still open. */
  unsettled(): Segment[] {
    if (this.frames === 0) return [];
    this.#trace(this.#search.best);
    return [...this.#cut(this.frames)];
  }

  /** No more frames: settles everything. */
  finish(): void {
    if (this.frames === 0) return;
    this.#trace(this.#search.finalState());
    for (const segment of this.#cut(this.frames)) this.#events.onSettled(segment);
  }

  /** Writes the path that ends in `state` into #path, back to the first unsettled frame. */
  #trace(state: number): void {
    let at = state;
    for (let f = this.frames - 1; f > this.#settled; f--) {
      // Where it meets the path traced before, the two are one from there back.
      if (f < this.#traced && this.#path[f % historyFrames] === at) break;
      this.#path[f % historyFrames] = at;
      at = this.#search.before(f, at);
    }
    this.#traced = this.frames;
  }

  #sayCertain(): void {
    const newest = this.frames - 1;
    const { phones, before } = this.#graph;
    // Perhaps the text has not begun, and this only sounds like it.
    if (this.#search.score(this.#search.best) - this.#search.score(before) < this.#margin) return;
    let state = this.#openState;
    let start = this.#openStart;
    for (let f = this.#settled + 1; f <= newest; f++) {
      const next = this.#path[f % historyFrames]!;
      if (next === state) continue;
      const seen = newest - f + 1;
      if (state === before && seen < this.#patience.outsideFrames) return;
      // What follows a jump in the text is believed only when the jump is.
      if (seen < this.#patience.deviationFrames && !this.#inOrder(state, next)) return;
      if (state >= 0 && state < phones && this.#said[state] === 0) {
        if (seen < this.#patience.finalFrames) return;
        this.#said[state] = 1;
        this.#events.onPhone({ state, start, end: f });
      }
      state = next;
      start = f;
    }
  }

  /** Where a hypothesis that is in `state` now was at frame `f`. */
  #stateAt(state: number, f: number): number {
    let at = state;
    for (let g = this.frames - 1; g > f; g--) at = this.#search.before(g, at);
    return at;
  }

  /**
   * Settles the likeliest path up to frame `last`; hypotheses that were elsewhere then are dropped.
   */
  #settle(last: number): void {
    const state = this.#path[last % historyFrames]!;
    this.#search.forEachAlive(Number.MIN_SAFE_INTEGER, (rival) => {
      if (this.#stateAt(rival, last) !== state) this.#search.drop(rival);
    });
    const segments = this.#cut(last + 1);
    const open = segments.pop();
    for (const segment of segments) this.#events.onSettled(segment);
    this.#settled = last;
    this.#openState = state;
    this.#openStart = open?.start ?? 0;
  }

  /** Whether going from `a` to `b` follows the text (omitting a single phone does). */
  #inOrder(a: number, b: number): boolean {
    const { phones, words, word, parent, ends } = this.#graph;
    const filler = phones + words + 1;
    if (a >= filler || b >= filler) return false;
    const bWord = b < phones ? word[b]! : b - phones;
    if (a < 0) return bWord === 0;
    if (a >= phones) return bWord === a - phones && (b >= phones || parent[b]! < 0);
    if (b < phones && word[a] === word[b]) return parent[b] === a || (parent[b]! >= 0 && parent[parent[b]!] === a);
    return ends[a]! >= 0 && bWord === word[a]! + 1;
  }

  /** The traced path from the segment that is open at the settled frame up to frame `end`. */
  #cut(end: number): Segment[] {
    const segments: Segment[] = [];
    let state = this.#openState;
    let start = this.#openStart;
    for (let f = this.#settled + 1; f < end; f++) {
      const at = this.#path[f % historyFrames]!;
      if (at === state) continue;
      if (state >= 0) segments.push({ state, start, end: f });
      state = at;
      start = f;
    }
    if (state >= 0) segments.push({ state, start, end });
    return segments;
  }
}
