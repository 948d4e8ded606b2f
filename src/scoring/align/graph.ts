import { firstFew } from '../../config/sentences.ts';
import { SpeechfbError } from '../../errors.ts';
import type { Reference } from '../text/reference.ts';
import { shorten } from '../text/refusal.ts';

/**
 * The reference as states of a left-to-right model, one state a phone. The variants of a word share
 * their common beginning, so that a phone can become final before it is known which variant is
 * read. Between words stand junctions 0..words, each with a state for silence and one for other
 * words ("filler"). At both ends of the text those are sound outside it, which is judged more
 * kindly: it has a column of its own.
 *
 * States are numbered: phones word by word (a parent before its children), then silences, then
 * fillers.
 */
export type Graph = {
  words: number;
  /** Count of phone states. */
  phones: number;
  states: number;
  /**
   * [states] column of the emission vector: a model phone, the model's silence, `fillerColumn` or
   * `outsideColumn`.
   */
  emission: Uint8Array;
  fillerColumn: number;
  outsideColumn: number;
  /** State of sound before the first word. */
  before: number;
  /** [phones] word of the state. */
  word: Int16Array;
  /** [phones] place in the word, from 0. */
  depth: Uint8Array;
  /** [phones] state of the phone before in the same word, or -1. */
  parent: Int16Array;
  /** [phones] variant that ends in this state, or -1. */
  ends: Int8Array;
  /** [phones] lowest variant that goes through this state. */
  variant: Uint8Array;
  /** [words + 1] first state of each word. */
  firstState: Int16Array;
  /**
   * [words + 1] first of the places that a word's phones have in the utterance: a word reserves its
   * longest variant.
   */
  firstIndex: Int32Array;
  /** [words][variant] the states along that variant. */
  variants: readonly (readonly Int16Array[])[];
};

/** Alphabet of the model that the graph's emissions point into. */
export type Alphabet = { phones: readonly string[]; silence: string };

/**
 * Looks through a reference without building anything: what passes has a graph.
 *
 * @throws SpeechfbError `invalid_reference` when the model does not know a phone of the reference,
 *   or it has too many.
 */
export function checkReadable(reference: Reference, { phones }: Alphabet): void {
  const known = new Set(phones);
  const unknown = new Set<string>();
  let count = 0;
  for (const { text, variants } of reference.words) {
    for (const variant of variants) {
      count += variant.length;
      for (const phone of variant) if (!known.has(phone)) unknown.add(`${phone} in "${shorten(text)}"`);
    }
  }
  if (count > mostPhones) {
    throw new SpeechfbError(
      'invalid_reference',
      `the reference has ${count} phones in all its pronunciations; ${mostPhones} are allowed`,
    );
  }
  if (unknown.size === 0) return;
  const named = firstFew([...unknown], (phone) => phone);
  throw new SpeechfbError('invalid_reference', `the model does not know ${named}`, {
    hint: `the model's phones are ${phones.join(' ')}`,
  });
}

/** States are counted in 16 bits, and between words there are two each. */
const mostPhones = 30_000;

/**
 * @throws SpeechfbError `invalid_reference`, as `checkReadable` does.
 */
export function buildGraph(reference: Reference, alphabet: Alphabet): Graph {
  checkReadable(reference, alphabet);
  const column = new Map(alphabet.phones.map((phone, index) => [phone, index]));
  const nodes: Node[] = [];
  const firstState: number[] = [];
  const firstIndex: number[] = [];
  let places = 0;
  const variants = reference.words.map((word, w) => {
    firstState.push(nodes.length);
    firstIndex.push(places);
    places += Math.max(...word.variants.map((phones) => phones.length));
    return growWord(nodes, w, word.variants, column);
  });
  firstState.push(nodes.length);
  firstIndex.push(places);
  const phones = nodes.length;
  const words = reference.words.length;
  const states = phones + 2 * (words + 1);
  const fillerColumn = alphabet.phones.length;
  const emission = new Uint8Array(states).fill(fillerColumn);
  emission.fill(column.get(alphabet.silence)!, phones, phones + words + 1);
  const outsideColumn = fillerColumn + 1;
  const before = phones + words + 1;
  emission[before] = outsideColumn;
  emission[before + words] = outsideColumn;
  const graph = {
    words,
    phones,
    states,
    emission,
    fillerColumn,
    outsideColumn,
    before,
    word: new Int16Array(phones),
    depth: new Uint8Array(phones),
    parent: new Int16Array(phones),
    ends: new Int8Array(phones),
    variant: new Uint8Array(phones),
    firstState: Int16Array.from(firstState),
    firstIndex: Int32Array.from(firstIndex),
    variants,
  };
  for (const [state, node] of nodes.entries()) {
    emission[state] = node.column;
    graph.word[state] = node.word;
    graph.depth[state] = node.depth;
    graph.parent[state] = node.parent;
    graph.ends[state] = node.ends;
    graph.variant[state] = node.variant;
  }
  return graph;
}

/** Emission columns of the phones that the text has right before and right after a phone state. */
export function neighbours(graph: Graph, state: number): number[] {
  const { word, parent, ends, firstState, words, emission } = graph;
  const w = word[state]!;
  const found: number[] = [];
  const eachOf = (of: number, wanted: (s: number) => boolean) => {
    if (of < 0 || of >= words) return;
    for (let s = firstState[of]!; s < firstState[of + 1]!; s++) if (wanted(s)) found.push(emission[s]!);
  };
  if (parent[state]! >= 0) found.push(emission[parent[state]!]!);
  else eachOf(w - 1, (s) => ends[s]! >= 0);
  eachOf(w, (s) => parent[s] === state);
  if (ends[state]! >= 0) eachOf(w + 1, (s) => parent[s]! < 0);
  return found;
}

type Node = { word: number; depth: number; parent: number; column: number; ends: number; variant: number };

/** Adds one word's variants as a tree of states; returns the states along each variant. */
function growWord(
  nodes: Node[],
  word: number,
  variants: readonly (readonly string[])[],
  column: ReadonlyMap<string, number>,
): Int16Array[] {
  // States of the word by the state before them and their phone.
  const grown = new Map<number, number>();
  return variants.map((phones, variant) => {
    let parent = -1;
    const path = phones.map((phone, depth) => {
      const wanted = column.get(phone)!;
      const branch = (parent + 1) * column.size + wanted;
      let state = grown.get(branch);
      if (state === undefined) {
        state = nodes.push({ word, depth, parent, column: wanted, ends: -1, variant }) - 1;
        grown.set(branch, state);
      }
      parent = state;
      return state;
    });
    const last = nodes[parent]!;
    if (last.ends < 0) last.ends = variant;
    return Int16Array.from(path);
  });
}
