import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { loadCalibrator } from '../../src/scoring/calibrate/calibrator.ts';
import { LiveScorer } from '../../src/scoring/live-scorer.ts';
import { resolveReference } from '../../src/scoring/text/reference.ts';
import { alphabet, cut, framesOf, read, utter } from '../kit/speech.ts';

const calibrator = loadCalibrator(undefined, alphabet);

function score(text: string, heard: readonly string[], sure = 0.9): LiveScorer {
  const scorer = new LiveScorer(resolveReference({ text }), alphabet, calibrator, { nbest: 3 });
  scorer.push(framesOf(heard, sure));
  scorer.finish();
  return scorer;
}

const phonesOf = (scorer: LiveScorer) =>
  Array.from({ length: scorer.graph.words }, (_, word) => scorer.finalsOf(word)).flat();
/** `W 10-15` for each phone, in frames. */
const timesOf = (scorer: LiveScorer) =>
  phonesOf(scorer).map(({ result, start, end }) => `${result.phoneme} ${start}-${end}`);
const wrongOf = (scorer: LiveScorer) =>
  phonesOf(scorer)
    .filter(({ result }) => result.error_type !== 'none')
    .map(({ result }) => `${result.phoneme} ${result.error_type}`);

describe('a plain reading', () => {
  it('finds every phone where it was said', () => {
    const scorer = score('we call it', utter('SIL 10', read('we call', 5), 'SIL 8', read('it', 4), 'SIL 12'));
    expect(timesOf(scorer)).toEqual(['W 10-15', 'IY 15-20', 'K 20-25', 'AO 25-30', 'L 30-35', 'IH 43-47', 'T 47-51']);
    expect(wrongOf(scorer)).toEqual([]);
    expect(scorer.deviations()).toEqual([]);
    expect(scorer.pauses).toEqual([
      { start: 0, end: 10 },
      { start: 35, end: 43 },
      { start: 51, end: 63 },
    ]);
  });

  it('scores both of a repeated phone (bookcase: K K)', () => {
    const scorer = score('bookcase', utter('SIL 5', read('bookcase', 6)));
    expect(timesOf(scorer).map((time) => time.split(' ')[0])).toEqual(['B', 'UH', 'K', 'K', 'EY', 'S']);
    expect(phonesOf(scorer).map((phone) => phone.score !== null)).not.toContain(false);
    expect(wrongOf(scorer)).toEqual([]);
  });

  it('says which variant was read', () => {
    const scorer = score('the either', utter('DH 5 IY 5 AY 5 DH 5 ER 5'));
    expect(phonesOf(scorer).map(({ result }) => result.phoneme)).toEqual(['DH', 'IY', 'AY', 'DH', 'ER']);
    expect(scorer.graph.ends[scorer.finalsOf(0).at(-1)!.state]).toBe(1);
  });
});

describe('a wrong phone', () => {
  it('is a substitution, and what it sounded like is named', () => {
    const scorer = score('think', utter('SIL 5 S~TH 6 IH 6 NG 6 K 6 SIL 5'));
    expect(wrongOf(scorer)).toEqual(['TH substitution']);
    const th = phonesOf(scorer)[0]!;
    expect(th.result.nbest[0]).toMatchObject({ phoneme: 'S', score: expect.closeTo(0.87, 1) });
    expect(th.result.gop).toBeLessThan(-1.5);
  });

  it('is an omission when there is no room for it', () => {
    const scorer = score('ask him', utter('SIL 5 AE 6 S 6 HH 6 IH 6 M 6 SIL 5'));
    expect(wrongOf(scorer)).toEqual(['K omission']);
  });
});

describe('a reading that leaves the text', () => {
  const text = 'the number you have dialed is not in service';
  const kinds = (scorer: LiveScorer) =>
    scorer.deviations().map(({ kind, first_word, last_word }) => `${kind} ${first_word}-${last_word}`);
  const soundsOf = (scorer: LiveScorer) =>
    scorer
      .deviations()
      .flatMap(({ phonemes = [] }) => phonemes.map(({ phoneme }) => phoneme))
      .join(' ');

  it('skips words', () => {
    const scorer = score(text, utter('SIL 5', read('the number you is not in service'), 'SIL 5'));
    expect(kinds(scorer)).toEqual(['skipped 3-4']);
    expect(scorer.finalsOf(3).map(({ result }) => result.error_type)).toEqual(['omission', 'omission', 'omission']);
    expect(scorer.finalsOf(5).map(({ result }) => result.error_type)).toEqual(['none', 'none']);
  });

  it('stops early', () => {
    expect(kinds(score(text, utter('SIL 5', read('the number you have'), 'SIL 30')))).toEqual(['skipped 4-8']);
  });

  it('goes back', () => {
    const scorer = score(text, utter('SIL 5', read('the number you have you have dialed is not in service')));
    expect(kinds(scorer)).toEqual(['repeated 2-3']);
    expect(wrongOf(scorer)).toEqual([]);
  });

  it('goes back for words that were skipped', () => {
    const scorer = score(text, utter('SIL 5', read('the number you is not have dialed is not in service')));
    expect(kinds(scorer)).toEqual(['repeated 3-6']);
    expect(wrongOf(scorer)).toEqual([]);
  });

  it('begins a word again in its middle', () => {
    const scorer = score(text, utter('SIL 5', read('the'), 'N 6 AH 6 M 6 SIL 5', read('number you have dialed is')));
    expect(kinds(scorer)).toEqual(['repeated 1-1', 'skipped 6-8']);
  });

  it('says other words', () => {
    const scorer = score(text, utter('SIL 5', read('the number'), read('chocolate factory'), read('you have dialed')));
    expect(kinds(scorer)).toEqual(['other_words 2-2', 'skipped 5-8']);
    expect(soundsOf(scorer)).toBe('CH AO K L AH T F AE K T ER IY');
  });

  it.each([
    [
      'a short word',
      utter('SIL 5', read('the number'), read('not'), read('you have dialed')),
      'inserted 2-2',
      'N AA T',
    ],
    [
      'a vowel within a word',
      utter('SIL 5', read('the'), 'N 5 AH 5 M 5 OW 9 B 5 ER 5', read('you have dialed')),
      'inserted 1-1',
      'OW',
    ],
    ['a sound at the end', utter('SIL 5', read('the number you have dialed'), 'AA 9 SIL 9'), 'inserted 5-5', 'AA'],
  ])('says %s too many', (_, heard, kind, sounds) => {
    const scorer = score('the number you have dialed', heard);
    expect(kinds(scorer)).toEqual([kind]);
    expect(soundsOf(scorer)).toBe(sounds);
    expect(scorer.deviations()[0]!.phonemes![0]).toMatchObject({
      error_type: 'insertion',
      confidence: expect.closeTo(0.9, 2),
    });
  });

  it('says a phone wrongly, which is no sound too many', () => {
    const scorer = score(
      'the number you have dialed',
      utter('DH 5 AH 5 N 5 AH 5 M 5 B 5 OW 9', read('you have dialed')),
    );
    expect(wrongOf(scorer)).toEqual(['ER substitution']);
    expect(kinds(scorer)).toEqual([]);
  });

  it('says nothing', () => {
    const scorer = score(text, utter('SIL 100'));
    expect(kinds(scorer)).toEqual(['skipped 0-8']);
    expect(new Set(wrongOf(scorer).map((wrong) => wrong.split(' ')[1]))).toEqual(new Set(['omission']));
  });

  it('has no sound at all', () => {
    const scorer = new LiveScorer(resolveReference({ text }), alphabet, calibrator, { nbest: 3 });
    scorer.finish();
    expect(kinds(scorer)).toEqual(['skipped 0-8']);
  });
});

describe('one word in longer speech', () => {
  const before = read('please hold while i try to');
  const after = read('the person you are calling');
  const deviationsOf = (scorer: LiveScorer) =>
    scorer.deviations().map(({ kind, first_word, last_word }) => `${kind} ${first_word}-${last_word}`);

  it('is found where it is said, and the speech around it is told of', () => {
    const heard = utter('SIL 5', before, read('locate'), after, 'SIL 5');
    const scorer = score('locate', heard);
    const start = utter('SIL 5', before).length;
    expect(phonesOf(scorer).map((phone) => [phone.start, phone.end])).toEqual(
      [0, 5, 10, 15, 20].map((at) => [start + at, start + at + 5]),
    );
    expect(wrongOf(scorer)).toEqual([]);
    expect(deviationsOf(scorer)).toEqual(['other_words 0-0', 'other_words 1-1']);
    expect(scorer.isDoubted).toBe(false);
  });

  it('is left out when it was never said', () => {
    const scorer = score('monkeys', utter('SIL 5', before, after, 'SIL 5'));
    expect(phonesOf(scorer).map(({ result }) => [result.error_type, result.accuracy])).toEqual(
      phonesOf(scorer).map(() => ['omission', null]),
    );
    expect(new Set(deviationsOf(scorer))).toEqual(new Set(['other_words 0-0', 'skipped 0-0']));
  });

  it('is final within two seconds of its end', () => {
    const scorer = score('locate', utter('SIL 5', before, read('locate'), after, after, after, after, 'SIL 5'));
    for (const { saidAt, end } of phonesOf(scorer)) expect(saidAt - end).toBeLessThanOrEqual(100);
  });
});

describe('lost audio', () => {
  const heard = utter('SIL 5', read('the number you have dialed'), 'SIL 5');

  it('makes the phones over it unscored, and no others', () => {
    const scorer = new LiveScorer(resolveReference({ text: 'the number you have dialed' }), alphabet, calibrator, {
      nbest: 3,
    });
    scorer.markGap(15, 35);
    scorer.push(framesOf(heard));
    scorer.finish();
    const lost = phonesOf(scorer).filter(({ result }) => result.error_type === 'unscored');
    expect(lost.map(({ result }) => result.phoneme)).toEqual(['N', 'AH', 'M', 'B']);
    expect(lost.every(({ result, score }) => result.gop === null && result.accuracy === null && score === null)).toBe(
      true,
    );
    expect(wrongOf(scorer).filter((wrong) => !wrong.endsWith('unscored'))).toEqual([]);
  });
});

describe('live', () => {
  /** Everything that was handed out in steps of the given sizes, with when. */
  function live(text: string, heard: readonly string[], steps: readonly number[], sure = 0.8) {
    const scorer = new LiveScorer(resolveReference({ text }), alphabet, calibrator, { nbest: 3 });
    const frames = framesOf(heard, sure);
    const finals: string[] = [];
    let at = 0;
    for (let i = 0; at < heard.length; i++) {
      const to = Math.min(heard.length, at + steps[i % steps.length]!);
      scorer.push(cut(frames, at, to));
      at = to;
      for (const phone of scorer.takeChanges().final) finals.push(JSON.stringify(phone.result));
    }
    scorer.finish();
    for (const phone of scorer.takeChanges().final) finals.push(JSON.stringify(phone.result));
    return { scorer, finals };
  }

  const scripts = fc
    .array(fc.constantFrom('W', 'IY', 'K', 'AO', 'L', 'IH', 'T', 'SIL', 'B', 'EH', 'R', 'S'), {
      minLength: 1,
      maxLength: 25,
    })
    .chain((phones) => fc.tuple(...phones.map((phone) => fc.nat({ max: 12 }).map((n) => `${phone} ${n + 1}`))))
    .map((parts) => utter(...parts));

  it('gives the same result however the frames are cut', () => {
    fc.assert(
      fc.property(
        scripts,
        fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 8 }),
        (heard, steps) => {
          const whole = live('we call it bear', heard, [heard.length]);
          const pieces = live('we call it bear', heard, steps);
          expect(pieces.finals).toEqual(whole.finals);
          expect(pieces.scorer.deviations()).toEqual(whole.scorer.deviations());
        },
      ),
      { numRuns: 150, seed: 7 },
    );
  });

  it.each(['call', 'call it'])('gives the same result for a text of few words (%s)', (text) => {
    fc.assert(
      fc.property(
        scripts,
        fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 8 }),
        (heard, steps) => {
          const whole = live(text, heard, [heard.length]);
          const pieces = live(text, heard, steps);
          expect(pieces.finals).toEqual(whole.finals);
          expect(pieces.scorer.deviations()).toEqual(whole.scorer.deviations());
          expect(pieces.scorer.isDoubted).toBe(whole.scorer.isDoubted);
        },
      ),
      { numRuns: 100, seed: 5 },
    );
  });

  it('hands out every phone of the text once, whatever is heard, and never again', () => {
    fc.assert(
      fc.property(scripts, (heard) => {
        const { scorer, finals } = live('we call it bear', heard, [5]);
        const places = finals.map((json) => JSON.parse(json).index as number);
        expect(new Set(places).size).toBe(places.length);
        expect([...places].sort((a, b) => a - b)).toEqual(phonesOf(scorer).map(({ result }) => result.index));
        expect(
          phonesOf(scorer)
            .map((phone) => JSON.stringify(phone.result))
            .sort(),
        ).toEqual([...finals].sort());
      }),
      { numRuns: 150, seed: 11 },
    );
  });

  it('is final soon after the end of a phone, and provisional before', () => {
    const heard = utter('SIL 10', read('the number you have dialed', 6), 'SIL 30');
    const scorer = new LiveScorer(resolveReference({ text: 'the number you have dialed' }), alphabet, calibrator, {
      nbest: 3,
    });
    const frames = framesOf(heard, 0.8);
    const shown = new Set<number>();
    for (let f = 0; f < heard.length; f++) {
      scorer.push(cut(frames, f, f + 1));
      const { final, provisional } = scorer.takeChanges();
      for (const { result } of provisional) shown.add(result.index);
      for (const { result, end } of final) {
        expect(shown).toContain(result.index);
        expect(f + 1 - end).toBeLessThanOrEqual(7);
      }
    }
    expect(scorer.finalsOf(4)).toHaveLength(5);
  });

  it('keeps its place in a long text, at a cost that does not grow with it', () => {
    const sentence = 'the number you have dialed is not in service please check the number and try again';
    const text = new Array(31).fill(sentence).join(' ');
    const { scorer, finals } = live(text, utter('SIL 10', read(text, 4)), [50], 0.9);
    expect(scorer.deviations()).toEqual([]);
    expect(finals.filter((json) => JSON.parse(json).error_type !== 'none')).toEqual([]);
  });
});
