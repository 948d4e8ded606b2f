import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ordinal, spellNumber } from '../../../src/scoring/text/numbers.ts';
import { splitWords } from '../../../src/scoring/text/words.ts';

const spoken = (text: string) => splitWords(text).flatMap((word) => word.spoken.split(' '));
/** Each word with the readings that compete: `one [point|comma] four`. */
const readings = (text: string) =>
  splitWords(text)
    .map(({ spoken, others }) => (others ? `[${[spoken, ...others].join('|')}]` : spoken))
    .join(' ');

describe('a text becomes the words that are said', () => {
  it.each([
    ['Hello, world!', ['hello', 'world']],
    ["I'm sorry — that’s not it.", ["i'm", 'sorry', "that's", 'not', 'it']],
    ['a well-known fact', ['a', 'well', 'known', 'fact']],
    ['and/or', ['and', 'or']],
    ['"Go!" he said.', ['go', 'he', 'said']],
    ["rock 'n' roll", ['rock', 'n', 'roll']],
    ['Room 42', ['room', 'forty', 'two']],
    ['1,250 apples', ['one', 'thousand', 'two', 'hundred', 'fifty', 'apples']],
    ['press 007', ['press', 'zero', 'zero', 'seven']],
    ['3.14', ['three', 'point', 'one', 'four']],
    ['call 12345678901', 'call one two three four five six seven eight nine zero one'.split(' ')],
    ['on the 1st, 2nd and 3rd', 'on the first second and third'.split(' ')],
    ['the 22nd of May', 'the twenty second of may'.split(' ')],
    ['the 30th time', 'the thirtieth time'.split(' ')],
    ['in 1990 and 1905', 'in nineteen ninety and nineteen oh five'.split(' ')],
    ['since 1800', 'since eighteen hundred'.split(' ')],
    ['1,990 of 2026', 'one thousand nine hundred ninety of two thousand twenty six'.split(' ')],
    ['it costs $5.', 'it costs five dollars'.split(' ')],
    ['$1.50 or $20.00', 'one dollar and fifty cents or twenty dollars'.split(' ')],
    ['$0.125', 'zero point one two five dollars'.split(' ')],
    ['2x4 and 3rds', 'two x four and three rds'.split(' ')],
    ['the café', ['the', 'cafe']],
    ['at 5 a.m. sharp', ['at', 'five', 'a.m', 'sharp']],
    ['salt & pepper, 5%', ['salt', 'and', 'pepper', 'five', 'percent']],
  ])('%s', (text, words) => {
    expect(spoken(text)).toEqual(words);
  });

  it('shows each word as it was written', () => {
    expect(splitWords("DON'T Stop").map((word) => word.shown)).toEqual(["DON'T", 'Stop']);
  });
});

describe('numbers and signs are read as they are said, with all readings that compete', () => {
  it.each([
    ['pages 1,2,3', 'pages one two three'],
    ['1½ cups', 'one and [a|one] half cups'],
    ['½ ¾', '[one half|a half|half] three [quarters|fourths]'],
    ['5²', 'five [squared|to the second|to the power of two]'],
    [
      '10⁶ and 10⁻³',
      'ten to the [sixth|power of six|six|sixth power] and ten to the [minus|power of minus|negative|power of negative] three',
    ],
    ['-5 degrees', '[minus|negative] five degrees'],
    ['−5°C', '[minus|negative] five degrees [celsius|centigrade|c]'],
    ['2 + 2 = 4', 'two [plus|and] two [equals|is|is equal to] four'],
    ['5−3, 2 × 4', 'five [minus|negative] three two [times|by] four'],
    ['£5.50 or €20', 'five [pounds and fifty pence|pounds fifty pence|pounds fifty|fifty] or twenty euros'],
    ['$1.5 million, $5k', 'one point five million dollars five [k|thousand] dollars'],
    ['20€ and 5¢', 'twenty euros and five cents'],
    ['3,14', 'three [point one four|point fourteen|comma one four|comma fourteen|one four|fourteen]'],
    ['2024', '[two thousand|twenty|two thousand and] twenty four'],
    ['in 1066', 'in [one thousand sixty|one thousand and sixty|ten sixty|one zero six|one oh six] six'],
    ['2ND of the 1990s', 'second of the nineteen nineties'],
    ["the '90s", 'the [nineties|ninety seconds]'],
    ['5km, 10 kg', 'five kilometers ten [kilograms|kilos]'],
    ['20 m²', 'twenty [square meters|meters squared]'],
    ['3:30pm', '[three thirty|half past three] p.m'],
    ['16:9', 'sixteen [to nine|nine]'],
    ['5–10', 'five [to ten|ten|through ten|minus ten]'],
    ['555-0123', 'five five five [zero|oh] one two three'],
    ['+49 30 1234567', 'plus four nine three [zero|oh] one two three four five six seven'],
    ['v 1.2.3', 'v one [dot|point] two [dot|point] three'],
    ['Part V of XIV', 'part [v|five|the fifth|fifth|v] of [xiv|fourteen|the fourteenth|fourteenth|x i v]'],
    ['B2B, MP3, H₂O', 'b two b [mp|m p] three h two o'],
    ['#5, #hello, C++', '[number|hash|pound] five [hashtag|hash] hello c plus plus'],
    ['info@example.com', 'info at example dot com'],
    ['10 000', '[ten thousand|ten zero zero zero|one zero zero zero zero]'],
    [
      '1,234,567,890',
      'one billion two hundred thirty four million five hundred sixty seven thousand eight hundred ninety',
    ],
    ['№ 5 ﬁne ｆｕｌｌ ５', 'number five fine full five'],
    ['4ᵗʰ', 'fourth'],
  ])('%s', (text, expected) => {
    expect(readings(text)).toBe(expected);
  });

  it.each([
    ['word¹', '"¹" (U+00B9) at character 5'],
    ['word[1]', '"[" (U+005B) at character 5'],
    ['word*', '"*" (U+002A) at character 5'],
    ['2024²', '"2024²" at character 1'],
    ['on 2024-05-06', '"2024-05-06" at character 4'],
    ['05/06/2024', '"05/06/2024" at character 1'],
    ['12,34,567', '"12,34,567" at character 1'],
    ['5 - 3', '"5" at character 1'],
    ['5′10″', '"5′10″" at character 1'],
    ['a < b', '"<" (U+003C) at character 3'],
    ['hello 😀', '"😀" (U+1F600) at character 7'],
    ['see https://example.com/x', '"https://example.com/x" at character 5'],
    ['x_y', '"_" (U+005F) at character 2'],
    ['a\u0000b', 'U+0000 at character 2'],
    ['12:30:15', '"12:30:15" at character 1'],
    ['1\ufe0f\u20e3 first', 'U+20E3 at character 3'],
    ['step ①', '"①" (U+2460) at character 6'],
    ['5 000,50 €', '"€" at character 10'],
    ['call +1234567890123456789012345678901234567890x', '"+123456789012345678901234567890123456789..." at character 6'],
  ])('%s is refused with its place', (text, place) => {
    expect(() => splitWords(text)).toThrow(expect.objectContaining({ code: 'invalid_reference' }));
    expect(() => splitWords(text)).toThrow(`has ${place}`);
  });
});

describe('what nobody sees or says is taken out of a text', () => {
  it.each([
    ['The con\u00adfer\u00adence will be\u00adgin.', 'the conference will begin'],
    ['The conf\u200berence', 'the conference'],
    ['The con\u200dfer\u200cence\u2060 will\ufeff', 'the conference will'],
    ['\u202bleft\u202c to\u200f right', 'left to right'],
    ['cafe\u0301 nai\u0308ve', 'cafe naive'],
    ['I\u00b4m sorry, that\u2032s it, don\u201bt, we\uff07re, I`d', "i'm sorry that's it don't we're i'd"],
    ['<speak>Hello<break time="500ms"/> world.</speak>', 'hello world'],
    ['<b>un</b>usual <!-- not this --> day', 'unusual day'],
    ['salt &amp; pepper&nbsp;mill, don&#39;t, &#x41;', "salt and pepper mill don't a"],
    ['**Bold** and _soft_ and ~~gone~~', 'bold and soft and gone'],
    ['# Title\n- one\n> two', 'title one two'],
    ['[the link](http://x.yz/a)', 'the link'],
  ])('%j', (text, expected) => {
    expect(spoken(text).join(' ')).toBe(expected);
  });

  it.each([
    ['<sub alias="x">W3C</sub>', 'the tag <sub> at character 1'],
    ['the &bogus; word', 'the entity &bogus; at character 5'],
  ])('%s is refused by name', (text, what) => {
    expect(() => splitWords(text)).toThrow(`has ${what}`);
  });
});

describe('a number is never read as another', () => {
  /** The digits other than 0 that words stand for, in order of size. */
  const digitsSaid = (words: readonly string[]) => {
    const digits: string[] = [];
    for (const word of words) {
      const place = said.findIndex((names) => names.includes(word));
      if (place >= 0) digits.push(...String(place).replaceAll('0', ''));
    }
    return digits.sort().join('');
  };
  const digitsWritten = (text: string) => [...text.normalize('NFKC').replace(/[^1-9]/g, '')].sort().join('');
  const written = fc.oneof(
    fc.stringMatching(/^[0-9]{1,7}$/),
    fc.stringMatching(/^[-−+$£€#]?[0-9]{1,3}([.,:/–-][0-9]{1,3}){0,3}(%|°|km|kg|th|s|²|³|k|€)?$/),
    fc.stringMatching(/^[B-Z]{0,2}[0-9]{1,4}[B-Z]?$/),
    fc.stringMatching(/^[0-9.,:/ +$€£%°²½⁶x=-]{1,10}$/),
  );

  it('in any text of random tokens: it is read, refused, or has readings that compete', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.constantFrom('the', 'room', 'and', 'of'), written), { minLength: 1, maxLength: 3 }),
        (tokens) => {
          const text = tokens.join(' ');
          let words: ReturnType<typeof splitWords>;
          try {
            words = splitWords(text);
          } catch (error) {
            expect(error).toMatchObject({ code: 'invalid_reference' });
            return;
          }
          const choices = words.map(({ spoken, others = [] }) => [spoken, ...others]);
          const first = choices.map((readings) => readings[0]!);
          for (const [at, readings] of choices.entries()) {
            for (const reading of readings) {
              // Parts of an hour, a bare half and seconds (5s) have no digits of their own.
              if (/past|quarter to|^half$| seconds?$/.test(reading)) continue;
              const all = [...first.slice(0, at), reading, ...first.slice(at + 1)].join(' ').split(' ');
              expect([text, reading, digitsSaid(all)]).toEqual([text, reading, digitsWritten(text)]);
            }
          }
        },
      ),
      { numRuns: 3000 },
    );
  });
});

describe('a text that cannot be read is refused, with what is wrong', () => {
  it.each([
    ['', 'has no words'],
    ['... !?', 'has no words'],
    ["' '", 'has no words'],
    ['привет world', 'outside English: п р и в е т'],
    ['你好', 'outside English: 你 好'],
    ['straße', 'outside English: ß'],
    ['٤ apples', 'outside English: ٤'],
    ['x'.repeat(61), '61 letters; at most 60'],
    ['word '.repeat(501), '501 words; at most 500'],
  ])('%s', (text, message) => {
    expect(() => splitWords(text)).toThrow(expect.objectContaining({ code: 'invalid_reference' }));
    expect(() => splitWords(text)).toThrow(message);
  });
});

/** Which words stand for a number's digits: its own name, its place in an order, its plural and its part of a whole. */
const names = (value: number) => {
  const words = spellNumber(value);
  const place = ordinal(words).at(-1)!;
  const plural = words.at(-1)!.replace(/y$/, 'ie').replace(/x$/, 'xe');
  return words.length === 1 ? [words[0]!, place, `${place}s`, `${plural}s`] : [];
};
const months = 'january february march april may june july august september october november december'.split(' ');
const said = Array.from({ length: 100 }, (_, value) => [
  ...names(value),
  ...(value >= 1 && value <= 12 ? [months[value - 1]!] : []),
  ...({
    1: ['a', 'penny'],
    2: ['squared', 'half', 'halves', 'square'],
    3: ['cubed', 'cubic'],
    4: ['quarter', 'quarters'],
  }[value] ?? []),
]);
