import type { Segment } from './aligner.ts';
import type { Graph } from './graph.ts';

/** What one segment of the alignment says about the reading. */
export type AlignmentEvent =
  | { kind: 'phone'; state: number; start: number; end: number }
  /**
   * Phones of a word that were passed over, or never reached; `at` is the frame at which the reader
   * went on.
   */
  | { kind: 'omitted'; state: number; at: number }
  | { kind: 'skipped'; word: number; at: number }
  | { kind: 'repeated'; from: number; to: number; at: number }
  | { kind: 'silence'; start: number; end: number }
  | { kind: 'other_words'; before: number; start: number; end: number };

/**
 * Follows the aligner's segments through the text and says, in order, what was read, left out,
 * repeated or added. `previous` is the state of the segment before, -1 at the start.
 */
export function readSegment(graph: Graph, previous: number, segment: Segment): AlignmentEvent[] {
  const { state, start, end } = segment;
  const events = passed(graph, previous, state, start);
  if (state < graph.phones) events.push({ kind: 'phone', state, start, end });
  else if (state <= graph.phones + graph.words) events.push({ kind: 'silence', start, end });
  else events.push({ kind: 'other_words', before: state - graph.phones - graph.words - 1, start, end });
  return events;
}

/** What is passed over when the utterance ends in `last`. */
export function readEnd(graph: Graph, last: number, frames: number): AlignmentEvent[] {
  // The junction after the last word, as if one more silence followed.
  return passed(graph, last, graph.phones + graph.words, frames);
}

function passed(graph: Graph, from: number, to: number, at: number): AlignmentEvent[] {
  const { phones, word, parent } = graph;
  if (to < phones && from >= 0 && from < phones && word[from] === word[to]) {
    const missed = between(graph, from, to);
    if (missed) return missed.map((state) => ({ kind: 'omitted', state, at }));
  }
  const events: AlignmentEvent[] = [];
  const entered = junctionOf(graph, to);
  let next = from < 0 ? 0 : junctionOf(graph, from);
  if (from >= 0 && from < phones) {
    if (entered > word[from]!) events.push(...restOfWord(graph, from).map((state) => omitted(state, at)));
    next = word[from]! + 1;
  }
  if (entered < next) events.push({ kind: 'repeated', from: entered, to: next - 1, at });
  for (let w = next; w < entered; w++) events.push({ kind: 'skipped', word: w, at });
  if (to < phones && parent[to]! >= 0) events.push(omitted(parent[to]!, at));
  return events;
}

function omitted(state: number, at: number): AlignmentEvent {
  return { kind: 'omitted', state, at };
}

/**
 * States strictly between `from` and its descendant `to`; undefined when `to` does not descend from
 * it.
 */
function between(graph: Graph, from: number, to: number): number[] | undefined {
  const missed: number[] = [];
  for (let s = graph.parent[to]!; s >= 0; s = graph.parent[s]!) {
    if (s === from) return missed.reverse();
    missed.push(s);
  }
  return undefined;
}

/**
 * The states from `from` to the nearest end of its word, without `from`; none when a variant ends
 * there.
 */
function restOfWord(graph: Graph, from: number): number[] {
  if (graph.ends[from]! >= 0) return [];
  const word = graph.word[from]!;
  for (let s = from + 1; s < graph.firstState[word + 1]!; s++) {
    if (graph.ends[s]! < 0) continue;
    const missed = between(graph, from, s);
    if (missed) return [...missed, s];
  }
  return [];
}

/** Junction before the word of a phone, or the junction of a silence or filler. */
function junctionOf(graph: Graph, state: number): number {
  return state < graph.phones ? graph.word[state]! : (state - graph.phones) % (graph.words + 1);
}
