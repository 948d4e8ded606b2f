import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { extraSounds, type ReadPhone } from '../../../src/scoring/align/extra-sounds.ts';
import { FreeHearing, type HeardPhone } from '../../../src/scoring/align/free-hearing.ts';
import { alphabet, framesOf, utter } from '../../kit/speech.ts';

const silence = alphabet.phones.indexOf('SIL');

/** `HH 5-10` for each phone that was heard. */
function hear(...parts: string[]): string[] {
  const { logPosterior, count } = framesOf(utter(...parts));
  const hearing = new FreeHearing(alphabet.phones.length, silence);
  for (let f = 0; f < count; f++) hearing.add(logPosterior, f * alphabet.phones.length);
  return hearing.phones().map(({ column, start, end }) => `${alphabet.phones[column]} ${start}-${end}`);
}

describe('hearing without a text', () => {
  it('names the phones and when they were said', () => {
    expect(hear('SIL 5 HH 4 AH 6 SIL 3 L 5 OW 5')).toEqual(['HH 5-9', 'AH 9-15', 'L 18-23', 'OW 23-28']);
  });

  it('does not take a single odd frame for a phone', () => {
    expect(hear('SIL 5 D 3 DH 1 D 3 SIL 5')).toEqual(['D 5-12']);
  });

  it('hears nothing in silence and in no sound at all', () => {
    expect(hear('SIL 50')).toEqual([]);
    expect(new FreeHearing(40, 39).phones()).toEqual([]);
  });

  it('keeps time over frames whose sound was lost', () => {
    const hearing = new FreeHearing(alphabet.phones.length, silence);
    const add = (...parts: string[]) => {
      const { logPosterior, count } = framesOf(utter(...parts));
      for (let f = 0; f < count; f++) hearing.add(logPosterior, f * alphabet.phones.length);
    };
    add('HH 5');
    for (let f = 0; f < 10; f++) hearing.skip();
    add('AH 5');
    expect(hearing.phones().at(-1)).toMatchObject({ column: alphabet.phones.indexOf('AH'), start: 15, end: 20 });
  });
});

/** Phones one after the other, each of a column and a length, as heard or read. */
const phonesOf = (parts: readonly [column: number, frames: number][], startAt = 0): (HeardPhone & ReadPhone)[] => {
  let at = startAt;
  return parts.map(([column, frames], word) => {
    const start = at;
    at += frames;
    return { column, word, start, end: at, belief: 0.9 };
  });
};
const parts = fc.array(fc.tuple(fc.integer({ min: 0, max: 38 }), fc.integer({ min: 1, max: 12 })), { maxLength: 60 });

describe('sounds that the text does not have', () => {
  it('are none when what was heard is what was read, a little early or late', () => {
    fc.assert(
      fc.property(parts, fc.integer({ min: -10, max: 10 }), (said, late) => {
        expect(extraSounds(phonesOf(said, 20 + late), phonesOf(said, 20), said.length)).toEqual([]);
      }),
    );
  });

  it('are none when phones were said wrongly where they were read, or left out', () => {
    const long = fc.array(fc.tuple(fc.integer({ min: 0, max: 18 }), fc.integer({ min: 3, max: 12 })), {
      maxLength: 60,
    });
    fc.assert(
      fc.property(long, fc.nat(), (said, pick) => {
        const heard = phonesOf(said).filter((_, i) => i % 4 !== pick % 4);
        const wrong = heard.map((phone, i) => (i % 5 === pick % 5 ? { ...phone, column: phone.column + 19 } : phone));
        expect(extraSounds(wrong, phonesOf(said), said.length)).toEqual([]);
      }),
    );
  });

  it('are found where one long phone was put between others', () => {
    const text: [number, number][] = [
      [1, 5],
      [2, 5],
      [3, 5],
      [4, 5],
      [5, 5],
    ];
    for (let at = 0; at <= text.length; at++) {
      const said = [...text.slice(0, at), [30, 9] as [number, number], ...text.slice(at)];
      const heard = phonesOf(said);
      const read = heard.filter(({ column }) => column !== 30).map((phone, word) => ({ ...phone, word }));
      expect(extraSounds(heard, read, 5)).toMatchObject([{ word: at, phones: [{ column: 30 }] }]);
    }
  });

  it('must be long and sure', () => {
    const read = phonesOf([[1, 5]]);
    const extra = (frames: number, belief: number) => ({ ...phonesOf([[30, frames]], 9)[0]!, belief });
    expect(extraSounds([...read, extra(7, 0.9)], read, 1)).toHaveLength(1);
    expect(extraSounds([...read, extra(6, 0.9)], read, 1)).toEqual([]);
    expect(extraSounds([...read, extra(9, 0.6)], read, 1)).toEqual([]);
  });

  it('are everything when nothing was read', () => {
    const heard = phonesOf([
      [1, 5],
      [2, 5],
    ]);
    expect(extraSounds(heard, [], 3)).toMatchObject([{ word: 3, phones: [{ column: 1 }, { column: 2 }] }]);
  });
});
