import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { section, text } from '../../src/config/fields.ts';
import { parseJsonLine } from '../../src/config/json-lines.ts';
import { parseConfig } from '../../src/config/yaml.ts';
import { formatError, SpeechfbError } from '../../src/errors.ts';
import { parseClientMessage } from '../../src/protocol/parse-message.ts';
import { parseBitsPerSecond, parseDurationMs, parsePercent } from '../../src/units.ts';

/** What zod, yaml, V8 and commander say of bad input. */
const librarys =
  /Too (small|big)|Unrecognized|Invalid (input|option|type)|expected \w+,|>=|<=|Unresolved tag|Implicit|Nested mapp|Unexpected (token|end|non-white|scalar)|is not valid JSON|in JSON at|in flow|must be|All collection items|at the same column|Plain value|Missing closing|Block (collection|seq)/;

describe("no library's words", () => {
  it('stand beside ours, as a warning of the process about a key that is a mapping', async () => {
    const warnings: string[] = [];
    const hear = ({ message }: Error): void => void warnings.push(message);
    process.on('warning', hear);
    expect(() => parseConfig('a.yaml', '? {a: b}\n: 1\n', section({ a: z.number() }))).toThrow(SpeechfbError);
    // Node tells of a warning in a later turn.
    await new Promise((resolve) => setImmediate(resolve));
    process.off('warning', hear);
    expect(warnings).toEqual([]);
  });

  const schema = section({ a: z.number().min(1), b: z.array(z.string()).optional(), c: text('a name').optional() });
  it.each([
    ['a: [1'],
    ['a: "1'],
    ["a: '1"],
    ['a: {b: 1'],
    ['a: !secret 1'],
    ['a: 1: 2'],
    ['a: b: c'],
    ['a: 1\n b: 2'],
    ['a:\n\tb: 1'],
    ['a: @x'],
    ['a: `x`'],
    ['a: %x'],
    ['a: "\\q"'],
    ['a: *none'],
    ['a: &x &y 1'],
    ['a: !!int !!str 1'],
    ['{ a: ${A} }'],
    ['a\nb: 1'],
    ['a: 1\n- b'],
    ['a: 0'],
    ['a: x'],
    ['a: 1\nb: [1]'],
    ['a: 1\nb: x'],
    ['a: 1\nd: 1'],
    ['[]'],
    ['7'],
    ['a: 1\na: 2'],
    ['%FOO bar\n---\na: 1'],
  ])('is in what is said of the YAML %j', (yaml) => {
    const said = saidOf(() => parseConfig('f.yaml', yaml, schema));
    expect(said).toMatch(/f\.yaml:\d+:\d+: \S/);
    expect(said).not.toMatch(librarys);
  });

  const line = z.strictObject({
    audio: z.string().min(1),
    words: z.union([z.string(), z.array(z.string())]).optional(),
  });
  it.each([
    '{',
    '{"audio": }',
    'x',
    '7',
    '[]',
    'null',
    '{}',
    '{"audio":1}',
    '{"audio":""}',
    '{"audio":"a","word":1}',
    '{"audio":"a","words":7}',
  ])('is in what is said of the line %j', (given) => {
    const read = parseJsonLine(given, line);
    expect(read).toMatchObject({ problem: expect.stringMatching(/\S/) });
    expect('problem' in read && read.problem).not.toMatch(librarys);
  });

  it.each([
    '{',
    '',
    '7',
    '[]',
    '{}',
    '{"type":7}',
    '{"type":"start"}',
    '{"type":"start","reference":{"words":7}}',
    '{"type":"config","x":1}',
  ])('is on the wire for %j', (given) => {
    const read = parseClientMessage(given);
    expect(read).toMatchObject({ ok: false, problem: expect.stringMatching(/\S/) });
    expect('problem' in read && read.problem).not.toMatch(librarys);
  });
});

describe('what was meant is told', () => {
  it.each<[(given: string) => number, string, string]>([
    [parseDurationMs, '1m30s', '1m30s is 90s'],
    [parseDurationMs, '1h 2m', '1h 2m is 3720s'],
    [parseDurationMs, '1s5ms', '1s5ms is 1005ms'],
    [parseDurationMs, '${WAIT}', '${WAIT} is not filled in here: run the file through envsubst first'],
    [parsePercent, '1% 25%', 'bursts are --gemodel'],
    [parseBitsPerSecond, '1Mbps', 'Mbps is written mbit'],
    [parseBitsPerSecond, '1 Mbit/s', 'Mbit/s is written mbit'],
    [parseBitsPerSecond, '64 kbps', 'kbps is written kbit'],
  ])('%o of %s', (parse, given, hint) => {
    expect(() => parse(given)).toThrow(hint);
  });
});

function saidOf(read: () => unknown): string {
  try {
    read();
  } catch (error) {
    expect(error).toBeInstanceOf(SpeechfbError);
    return formatError(error as SpeechfbError);
  }
  return 'it was read';
}
