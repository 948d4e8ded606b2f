import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { resolveReference } from '../../../src/scoring/text/reference.ts';
import { readFeedback, writeFeedback } from '../../../src/scoring/threads/feedback-records.ts';
import type { Feedback } from '../../../src/scoring/utterance-scorer.ts';
import { newLinkEnds, ThreadLink } from '../../../src/threads/thread-link.ts';

const reference = resolveReference({ text: 'the number you have dialed' });
const ringBytes = 4096;

const ends: ThreadLink[] = [];
afterEach(() => {
  for (const link of ends.splice(0)) link.close();
});

/** What comes out at the other end of a link, and whether it went in. */
function carry(feedback: Feedback, knows = true) {
  const { own, worker } = newLinkEnds(ringBytes, ringBytes);
  const [writer, reader] = [new ThreadLink(worker, () => {}), new ThreadLink(own, () => {})];
  ends.push(writer, reader);
  const isWritten = writeFeedback(writer, 7, feedback, { sentMs: 1.5, saidMs: 2.25 });
  const read: ReturnType<typeof readFeedback>[] = [];
  const referenceOf = (id: number) => (knows && id === 7 ? reference : undefined);
  reader.read(
    (record) => read.push(readFeedback(record, referenceOf)),
    () => {},
  );
  return { isWritten, read };
}

const ms = fc.double({ min: 0, max: 1e9, noNaN: true }).map((value) => value + 0);
const word = fc.record({
  wordIndex: fc.integer({ min: 0, max: reference.words.length - 1 }),
  startMs: ms,
  endMs: ms,
  isFinal: fc.boolean(),
});
const deviation = fc.record({
  kind: fc.constantFrom('skipped' as const, 'repeated' as const, 'other_words' as const, 'inserted' as const),
  first_word: fc.nat(100),
  last_word: fc.nat(100),
  start_ms: ms,
  end_ms: ms,
});
const progress = fc.record({
  words: fc
    .array(word, { maxLength: 5 })
    .map((words) => words.map((one) => ({ ...one, text: reference.words[one.wordIndex]!.text }))),
  deviations: fc.array(deviation, { maxLength: 3 }),
});
const phones = fc.record({
  text: fc.oneof(fc.string({ maxLength: 200 }), fc.string({ unit: 'grapheme', maxLength: 100 })),
  marks: fc.array(fc.nat(1000), { maxLength: 30 }),
});
const timing = fc.record({ queue: ms, features: ms, asr: ms, scoring: ms });

describe('a feedback as a record', () => {
  it('comes out as it went in, with or without progress, in any letters', () => {
    const any = fc
      .record({ audioMs: ms, phones, timing, progress: fc.option(progress, { nil: undefined }) })
      .map(({ progress: made, ...rest }): Feedback => (made ? { ...rest, progress: made } : rest));
    fc.assert(
      fc.property(any, (feedback) => {
        expect(carry(feedback)).toEqual({ isWritten: true, read: [{ id: 7, sentMs: 1.5, saidMs: 2.25, feedback }] });
        for (const link of ends.splice(0)) link.close();
      }),
    );
  });

  const small: Feedback = { audioMs: 100, phones: { text: 'x', marks: [] }, timing: {} };

  it('is nothing for an utterance that is over', () => {
    expect(carry(small, false).read).toEqual([{ id: 7, sentMs: 1.5, saidMs: 2.25, feedback: undefined }]);
  });

  it.each<[string, Partial<Feedback>]>([
    ['is larger than half of the ring', { phones: { text: 'x'.repeat(ringBytes / 2), marks: [] } }],
    [
      'says what was heard in a deviation',
      {
        progress: {
          words: [],
          deviations: [{ kind: 'inserted', first_word: 0, last_word: 0, start_ms: 0, end_ms: 1, phonemes: [] }],
        },
      },
    ],
  ])('is not written where it %s', (_, part) => {
    expect(carry({ ...small, ...part })).toEqual({ isWritten: false, read: [] });
  });
});
