import type { Graph } from './graph.ts';
import type { Penalties } from './penalties.ts';

/** Frames of back pointers that are kept; a caller must have decided everything older. */
export const historyFrames = 128;

/**
 * Frame-synchronous Viterbi search over the graph of one reading: what is the likeliest place now,
 * and how did the reader come there? One step costs a few nanoseconds a state and allocates
 * nothing.
 *
 * Arcs: a phone to itself and to the next, past one phone (omission), from a word's end to the next
 * junction, past a word (skip), back to an earlier junction (repeat), and through a junction's
 * silence or filler.
 */
export class Viterbi {
  /** Frames taken so far. */
  frames = 0;
  /** Likeliest state after the newest frame. */
  best = -1;
  readonly #graph: Graph;
  readonly #penalties: Penalties;
  #score: Float64Array;
  #next: Float64Array;
  /** Frame at which the best way into each state entered it. */
  #since: Int32Array;
  #nextSince: Int32Array;
  /** Back pointers, allocated with the first frame: many texts are never read. */
  #history = new Int16Array(0);
  /** Best way into each junction, and the state it comes from (-1: the start of the utterance). */
  readonly #entry: Float64Array;
  readonly #entryFrom: Int16Array;
  /** [words + 1] what beginning other words costs at each junction. */
  readonly #fillerCost: Float64Array;
  #low = 0;
  #high: number;

  constructor(graph: Graph, costs: Penalties) {
    this.#graph = graph;
    this.#penalties = costs;
    this.#score = new Float64Array(graph.states).fill(-Infinity);
    this.#next = new Float64Array(graph.states).fill(-Infinity);
    this.#since = new Int32Array(graph.states);
    this.#nextSince = new Int32Array(graph.states);
    this.#entry = new Float64Array(graph.words + 1);
    this.#entryFrom = new Int16Array(graph.words + 1);
    this.#fillerCost = new Float64Array(graph.words + 1).fill(costs.filler);
    // The longer the text, the less of it is found by chance, and the more of it a reader says
    // badly at its ends.
    const length = graph.words ** 1.5;
    this.#fillerCost[0] = Math.min(costs.filler, costs.outsideBefore * length);
    this.#fillerCost[graph.words] = Math.min(costs.filler, costs.outsideAfter * length);
    this.#high = Math.min(graph.words, costs.wordsAhead);
  }

  /** Score of a state after the newest frame, nats; -Infinity when it cannot be there. */
  score(state: number): number {
    return this.#score[state]!;
  }

  /** The state before `state` at `frame`; -1 at the utterance's start. */
  before(frame: number, state: number): number {
    return this.#history[(frame % historyFrames) * this.#graph.states + state]!;
  }

  /** Rules `state` out. */
  drop(state: number): void {
    this.#score[state] = -Infinity;
  }

  /** Calls `visit` with every state that is still possible and scores at least `threshold`. */
  forEachAlive(threshold: number, visit: (state: number) => void): void {
    const { firstState, phones, words } = this.#graph;
    const score = this.#score;
    const end = firstState[this.#high]!;
    for (let s = firstState[this.#low]!; s < end; s++) if (score[s]! >= threshold) visit(s);
    for (let j = this.#low; j <= this.#high; j++) {
      if (score[phones + j]! >= threshold) visit(phones + j);
      if (score[phones + words + 1 + j]! >= threshold) visit(phones + words + 1 + j);
    }
  }

  /** Takes one frame: `emission` has a log score for each column that the graph's states name. */
  step(emission: Float32Array): void {
    const { firstState, word, parent, emission: column } = this.#graph;
    const { advance, omission } = this.#penalties;
    if (this.frames === 0) this.#history = new Int16Array(this.#graph.states * historyFrames);
    this.#moveWindow();
    this.#enterJunctions(this.frames === 0);
    const score = this.#score;
    const next = this.#next;
    const since = this.#since;
    const nextSince = this.#nextSince;
    const entry = this.#entry;
    const entryFrom = this.#entryFrom;
    const history = this.#history;
    const row = (this.frames % historyFrames) * this.#graph.states;
    let best = -1;
    let bestScore = -Infinity;
    const end = firstState[this.#high]!;
    for (let s = firstState[this.#low]!; s < end; s++) {
      const up = parent[s]!;
      let value = score[s]!;
      let from = s;
      if (up < 0) {
        const w = word[s]!;
        if (entry[w]! - advance >= value) {
          value = entry[w]! - advance;
          from = entryFrom[w]!;
        }
      } else {
        const onward = score[up]! - this.#haste(up) - advance;
        if (onward >= value) {
          value = onward;
          from = up;
        }
        const over = parent[up]!;
        const w = word[s]!;
        const skipped = (over < 0 ? entry[w]! : score[over]!) - omission - 2 * advance;
        if (skipped > value) {
          value = skipped;
          from = over < 0 ? entryFrom[w]! : over;
        }
      }
      value += emission[column[s]!]!;
      next[s] = value;
      nextSince[s] = from === s ? since[s]! : this.frames;
      history[row + s] = from;
      if (value > bestScore) {
        bestScore = value;
        best = s;
      }
    }
    this.best = best;
    this.#stepJunctions(emission, row, bestScore);
    this.#score = next;
    this.#next = score;
    this.#since = nextSince;
    this.#nextSince = since;
    this.frames++;
  }

  /**
   * The part of a step between words: silence or the filler at each junction. `bestScore` is that
   * of the likeliest phone.
   */
  #stepJunctions(emission: Float32Array, row: number, bestScore: number): void {
    const { emission: column, phones, words } = this.#graph;
    const score = this.#score;
    const next = this.#next;
    const entry = this.#entry;
    const entryFrom = this.#entryFrom;
    const history = this.#history;
    let best = this.best;
    let highest = bestScore;
    const silence = emission[column[phones]!]!;
    for (let j = this.#low; j <= this.#high; j++) {
      const quiet = phones + j;
      const stay = score[quiet]! >= entry[j]!;
      const value = (stay ? score[quiet]! : entry[j]!) + silence;
      next[quiet] = value;
      history[row + quiet] = stay ? quiet : entryFrom[j]!;
      const talk = phones + words + 1 + j;
      const begin = entry[j]! - this.#fillerCost[j]!;
      const stayTalk = score[talk]! >= begin;
      const talkValue = (stayTalk ? score[talk]! : begin) + emission[column[talk]!]!;
      next[talk] = talkValue;
      history[row + talk] = stayTalk ? talk : entryFrom[j]!;
      if (value > highest) {
        highest = value;
        best = quiet;
      }
      if (talkValue > highest) {
        highest = talkValue;
        best = talk;
      }
    }
    this.best = best;
  }

  /**
   * The state in which the likeliest whole reading ends; words not reached cost as skipped once,
   * unless all was sound before the text.
   */
  finalState(): number {
    const { words, phones, firstState, ends } = this.#graph;
    const { skipWord, omission } = this.#penalties;
    let best = -1;
    let bestScore = -Infinity;
    const lastWord = words - 1;
    this.forEachAlive(-Infinity, (s) => {
      let value = this.#score[s]!;
      if (s < phones) {
        const w = this.#graph.word[s]!;
        if (w < lastWord) value -= skipWord;
        if (ends[s]! < 0) value -= this.#leadsToEnd(s, firstState[w + 1]!) ? omission : skipWord;
      } else {
        const junction = (s - phones) % (words + 1);
        if (junction !== words && s !== this.#graph.before) value -= skipWord;
      }
      if (value > bestScore) {
        bestScore = value;
        best = s;
      }
    });
    return best;
  }

  #leadsToEnd(state: number, wordEnd: number): boolean {
    const { parent, ends } = this.#graph;
    for (let s = state + 1; s < wordEnd; s++) if (parent[s] === state && ends[s]! >= 0) return true;
    return false;
  }

  /** What leaving a phone costs that has hardly begun. */
  #haste(state: number): number {
    const lasted = this.frames - this.#since[state]!;
    if (lasted > 2) return 0;
    return lasted === 1 ? this.#penalties.oneFrame : this.#penalties.twoFrames;
  }

  /**
   * Best score into each junction of the window from the frame before: word ends, fillers, repeats,
   * then skips.
   */
  #enterJunctions(start: boolean): void {
    const { firstState, parent, ends, phones, words } = this.#graph;
    const { advance, omission, skipWord, skipNextWord, repeat, repeatWord, repeatReach } = this.#penalties;
    const entry = this.#entry;
    const from = this.#entryFrom;
    const score = this.#score;
    const low = this.#low;
    const high = this.#high;
    entry.fill(-Infinity, low, high + 1);
    if (start) {
      entry[0] = 0;
      from[0] = -1;
    }
    // Anything said in words low..w: the best source of a repeat, and how many words back it may
    // still go.
    let again = -Infinity;
    let againFrom = -1;
    let reach = 0;
    for (let j = high; j >= low; j--) {
      // Word j begins at junction j and ends at junction j + 1.
      if (j < high) {
        again -= repeatWord;
        if (--reach < 0) again = -Infinity;
        for (let s = firstState[j]!; s < firstState[j + 1]!; s++) {
          const value = score[s]!;
          if (value - repeat > again) {
            again = value - repeat;
            againFrom = s;
            reach = repeatReach;
          }
          const ended = ends[s]!;
          if (ended < 0) continue;
          const done = value - this.#haste(s);
          if (done > entry[j + 1]!) {
            entry[j + 1] = done;
            from[j + 1] = s;
          }
          const up = parent[s]!;
          if (up >= 0 && score[up]! - advance - omission > entry[j + 1]!) {
            entry[j + 1] = score[up]! - advance - omission;
            from[j + 1] = up;
          }
        }
        if (again > entry[j]!) {
          entry[j] = again;
          from[j] = againFrom;
        }
      }
      for (let state = phones + j; state < this.#graph.states; state += words + 1) {
        if (score[state]! > entry[j]!) {
          entry[j] = score[state]!;
          from[j] = state;
        }
        if (score[state]! - repeat > again) {
          again = score[state]! - repeat;
          againFrom = state;
          reach = repeatReach;
        }
      }
    }
    let skip = skipWord;
    for (let j = low; j < high; j++) {
      if (entry[j]! - skip > entry[j + 1]!) {
        entry[j + 1] = entry[j]! - skip;
        from[j + 1] = from[j]!;
        skip = skipNextWord;
      } else skip = skipWord;
    }
  }

  /** Keeps the search near the likeliest place; what leaves the window is ruled out. */
  #moveWindow(): void {
    const { words } = this.#graph;
    const { wordsBehind, wordsAhead } = this.#penalties;
    if (words <= wordsAhead || this.best < 0) return;
    const place = this.#placeOf(this.best);
    const low = Math.max(0, place - wordsBehind);
    const high = Math.min(words, place + wordsAhead);
    if (low === this.#low && high === this.#high) return;
    this.#clear(this.#score, this.#low, low);
    this.#clear(this.#score, high, this.#high);
    this.#next.fill(-Infinity);
    this.#low = low;
    this.#high = high;
  }

  #clear(score: Float64Array, fromWord: number, toWord: number): void {
    if (fromWord >= toWord) return;
    const { firstState, phones, words } = this.#graph;
    score.fill(-Infinity, firstState[fromWord]!, firstState[toWord]!);
    // The junction at the window's own edge stays: `fromWord` when the window's end moves, `toWord`
    // when its start does.
    const first = fromWord === this.#low ? fromWord : fromWord + 1;
    const last = fromWord === this.#low ? toWord - 1 : toWord;
    score.fill(-Infinity, phones + first, phones + last + 1);
    score.fill(-Infinity, phones + words + 1 + first, phones + words + 1 + last + 1);
  }

  #placeOf(state: number): number {
    const { phones, words, word } = this.#graph;
    return state < phones ? word[state]! : (state - phones) % (words + 1);
  }
}
