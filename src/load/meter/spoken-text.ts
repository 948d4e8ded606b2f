import { comparedWords, textWords } from '../../scoring/text/compared-words.ts';

/**
 * What one clip says, as transcripts are held against it; learners share it.
 */
export type SpokenText = {
  language: string;
  /** Every word of the text in the order of reading, in compared words. */
  tokens: readonly string[];
  /** The word that each token is of. */
  wordOf: readonly number[];
  /**
   * Where the sound of each word ends, ms from the beginning of the clip; undefined where it is
   * not known.
   */
  endsMs: readonly (number | undefined)[];
  /** Other readings of a word, the longest first. */
  readings: readonly OtherReading[];
};

/**
 * How a word may be read, and what `tokens` have for it, between the words that stand around it.
 */
type OtherReading = {
  other: readonly string[];
  tokens: readonly string[];
  /** Undefined: it is the first. */
  before: string | undefined;
  /** Undefined: it is the last, or what comes after it may itself be read in several ways. */
  after: string | undefined;
};

/**
 * The text of a clip, without the words that its speaker left out where that is known: `words`
 * without an end.
 */
export function spokenText(clip: {
  text: string;
  language: string;
  words?: readonly { text: string; endMs: number | undefined }[];
}): SpokenText {
  const { language } = clip;
  const read = textWords(clip.text, language);
  const given = clip.words?.map(({ text, endMs }, place) => {
    const own = read.length === clip.words!.length ? read[place]!.ways : [comparedWords(text, language)];
    return { ways: own, endMs };
  });
  const words: { ways: readonly (readonly string[])[]; endMs: number | undefined }[] =
    given?.filter(({ endMs }) => endMs !== undefined) ?? read.map(({ ways }) => ({ ways, endMs: undefined }));
  return {
    language,
    tokens: words.flatMap(({ ways }) => ways[0] ?? []),
    wordOf: words.flatMap(({ ways }, place) => (ways[0] ?? []).map(() => place)),
    endsMs: words.map(({ endMs }) => endMs),
    readings: otherReadings(words.map(({ ways }) => ways)),
  };
}

/** The words of a transcript of the text, its numbers read as `tokens` have them. */
export function transcriptWords(transcript: string, { language, readings }: SpokenText): string[] {
  const words = comparedWords(transcript, language);
  if (readings.length === 0) return words;
  const found: string[] = [];
  for (let at = 0; at < words.length; ) {
    const reading = readings.find(
      ({ other, before, after }) =>
        found.at(-1) === before &&
        other.every((word, k) => words[at + k] === word) &&
        (after === undefined || words[at + other.length] === after),
    );
    found.push(...(reading ? reading.tokens : [words[at]!]));
    at += reading ? reading.other.length : 1;
  }
  return found;
}

function otherReadings(words: readonly (readonly (readonly string[])[])[]): OtherReading[] {
  const all = words.flatMap(([tokens = [], ...others], place) => {
    const before = words[place - 1]?.[0]?.at(-1);
    const following = words[place + 1];
    const after = following?.length === 1 ? following[0]![0] : undefined;
    return others.filter((other) => other.length > 0).map((other) => ({ other, tokens, before, after }));
  });
  return all.sort((a, b) => b.other.length - a.other.length);
}
