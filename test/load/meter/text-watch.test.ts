import { describe, expect, it } from 'vitest';
import { spokenText } from '../../../src/load/meter/spoken-text.ts';
import { TextWatch } from '../../../src/load/meter/text-watch.ts';

const never = Number.POSITIVE_INFINITY;

/** A word a second. */
function watchOf(text: string, language = 'en-US') {
  const words = text.split(' ').map((word, k) => ({ text: word, endMs: 1000 * (k + 1) }));
  const spoken = spokenText({ text, language, words });
  const watch = new TextWatch(spoken);
  const times = () => spoken.endsMs.map((_, place) => watch.firstMs(place));
  const finals = () => spoken.endsMs.map((_, place) => watch.finalMs(place));
  return { watch, times, finals };
}

describe('plain transcripts of a text', () => {
  it('show each word when they first have it right', () => {
    const { watch, times } = watchOf('The conference is over.');
    expect(watch.see('the', 0, false, 100)).toEqual([0]);
    expect(watch.see('The con', 0, false, 200)).toEqual([]);
    expect(watch.see('The conference is', 0, false, 300)).toEqual([2, 1]);
    watch.see('The conference is', 0, false, 400);
    expect(times()).toEqual([100, 300, 300, never]);
    expect(watch.shown).toBe(3);
    // "con" became "conference".
    expect(watch.changed).toBe(1);
  });

  it('show words for good once they are settled, and all that is right with the final', () => {
    const { watch, finals } = watchOf('one two three four');
    watch.see('one two', 0, false, 100);
    watch.see('one two three', 'one two'.length, false, 200);
    expect(finals()).toEqual([200, 200, never, never]);
    // The same text says more when more of it is settled.
    watch.see('one two three', 'one two three'.length, false, 250);
    expect(finals()).toEqual([200, 200, 250, never]);
    watch.see('One, two, three: four!', 0, true, 300);
    expect(finals()).toEqual([200, 200, 250, 300]);
    expect(watch.errors).toBe(0);
    expect(watch.changed).toBe(0);
  });

  it('that take a word back have shown it all the same, and changed it', () => {
    const { watch, times } = watchOf('red green blue');
    watch.see('red green', 0, false, 100);
    watch.see('red', 0, false, 200);
    watch.see('red grin blue', 0, false, 300);
    watch.see('red green blue', 0, true, 400);
    expect(times()).toEqual([100, 100, 300]);
    expect(watch).toMatchObject({ shown: 3, changed: 1, errors: 0 });
  });

  it.each<[text: string, transcript: string, errors: number]>([
    ['I have twenty two dogs', 'I have 22 dogs.', 0],
    ['Pay 5 dollars', 'pay $5', 0],
    ['the end', '', 2],
    ['the end', 'this is the very end', 3],
    ['the end', 'no', 2],
  ])('of "%s" as "%s" have %i words wrong', (text, transcript, errors) => {
    const { watch } = watchOf(text);
    watch.see(transcript, 0, true, 100);
    expect(watch.errors).toBe(errors);
  });

  it.each(['In 2024', 'in twenty twenty four', 'In two thousand twenty four.'])(
    'read a number in any of its ways: %s',
    (transcript) => {
      const spoken = spokenText({ text: 'In 2024', language: 'en-US' });
      const watch = new TextWatch(spoken);
      watch.see(transcript, 0, true, 100);
      expect(watch.errors).toBe(0);
    },
  );

  it('of a word of several characters show it with the last of them', () => {
    const words = [
      { text: '会议', endMs: 400 },
      { text: '开始', endMs: 800 },
    ];
    const watch = new TextWatch(spokenText({ text: '会议开始', language: 'zh-CN', words }));
    watch.see('会', 0, false, 100);
    watch.see('会议', 0, false, 200);
    watch.see('会议开始了', 0, true, 300);
    expect([watch.firstMs(0), watch.firstMs(1)]).toEqual([200, 300]);
    expect(watch).toMatchObject({ spoken: 4, errors: 1 });
  });

  it('owe no word that the speaker left out', () => {
    const words = [
      { text: 'the', endMs: 200 },
      { text: 'very', endMs: undefined },
      { text: 'end', endMs: 500 },
    ];
    const spoken = spokenText({ text: 'the very end', language: 'en', words });
    expect(spoken).toMatchObject({ tokens: ['the', 'end'], endsMs: [200, 500] });
    const watch = new TextWatch(spoken);
    watch.see('the end', 0, true, 600);
    expect(watch.errors).toBe(0);
  });
});
