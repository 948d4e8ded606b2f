import { describe, expect, it } from 'vitest';
import type { ProbeLine, ProbeSummary } from '../../../src/load/probe/reading.ts';
import { messageLines, probeSummaryText } from '../../../src/report/probe/probe-lines.ts';
import { createPaint } from '../../../src/report/terminal/paint.ts';

const plain = createPaint(false);
const coloured = createPaint(true);
const red = (text: string) => coloured.bad(text);
const line: ProbeLine = { atMs: 1240, is: 'partial', says: 'the conference', raw: '{"type":"partial"}' };

describe('a message of a probe', () => {
  it.each<[string, Partial<ProbeLine>, string]>([
    ['text', {}, '<-   1.24 s  partial  "the conference"'],
    [
      'text that reaches',
      { coversMs: 1100, behindMs: 140 },
      '<-   1.24 s  partial  "the conference"  covers 1.10 s  (140 ms)',
    ],
    ['text about a word', { behindMs: 140 }, '<-   1.24 s  partial  "the conference"  (140 ms)'],
    [
      'an answer',
      { is: 'ack', says: '', coversMs: 1000, behindMs: 240 },
      '<-   1.24 s  ack      covers 1.00 s  (240 ms)',
    ],
    ['nothing', { is: 'nothing', says: '' }, '<-   1.24 s  nothing'],
    ['before the sound', { is: 'ready', says: '', atMs: -1234 }, '<-  -1.23 s  ready'],
  ])('says what it was taken for: %s', (_, change, shown) => {
    expect(messageLines({ ...line, ...change }, plain).split('\n')[0]).toBe(shown);
  });

  it('is red when it was not understood, and shows itself', () => {
    const shown = messageLines({ ...line, is: 'not understood', says: 'no rule matches it' }, coloured);
    expect(shown).toContain(red('<-   1.24 s  NOT UNDERSTOOD no rule matches it'));
    expect(shown).toContain('{"type":"partial"}');
    expect(messageLines({ ...line, is: 'error', says: 'quota: used up' }, coloured)).toContain(
      red('<-   1.24 s  error    quota: used up'),
    );
  });

  it.each([80, 60])('keeps within %i columns, whatever it says', (columns) => {
    const long = {
      says: 'word '.repeat(200),
      raw: `{"text":"${'x'.repeat(5000)}"}`,
      coversMs: 123_450,
      behindMs: 1234,
    };
    for (const one of messageLines({ ...line, ...long }, plain, columns).split('\n'))
      expect(one.length).toBeLessThanOrEqual(columns);
  });

  it('shows nothing raw of what is foreign', () => {
    const shown = messageLines({ ...line, says: '\x1b[31mred\u202e', raw: '\x07\x1b]0;title\x07' }, plain);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there.
    expect(shown).not.toMatch(/[\x07\x1b\u202e]/);
    expect(messageLines({ ...line, raw: Uint8Array.of(1, 2, 255) }, plain)).toContain('3 bytes: 0102ff');
  });
});

const summary: ProbeSummary = {
  counts: { partial: 3, final: 1, 'not understood': 2 },
  words: [
    { text: 'the', endMs: 300, firstMs: 520, finalMs: 900 },
    { text: 'end', endMs: 700, firstMs: Number.POSITIVE_INFINITY, finalMs: Number.POSITIVE_INFINITY },
  ],
  wordLatency: { p50Ms: 220, maxMs: Number.POSITIVE_INFINITY },
  firstPartialMs: 400,
  finalLatencyMs: 120,
  wer: { wrong: 1, spoken: 2 },
  measurable: ['word_latency', 'connect_time'],
  unmeasurable: [
    { metric: 'feedback_latency', why: 'acme does not say how far it has heard: use word_latency' },
    { metric: 'phoneme_latency', why: 'acme tells no phones: use word_latency' },
  ],
};

describe('the end of a probe', () => {
  it('has each word, the latency, the errors, and what can be measured', () => {
    const shown = probeSummaryText(summary, plain);
    expect(shown).toMatch(/│ the +│ 0\.30 s │ 0\.52 s │ 220 ms │ +600 ms │/);
    expect(shown).toMatch(/│ end +│ 0\.70 s │ +never │ +never │ +never │/);
    expect(shown).toContain('heard       3 partial, 1 final, 2 not understood');
    expect(shown).toContain(
      'words p50 220 ms, at most never; first text 400 ms after speech begins; final 120 ms after',
    );
    expect(shown).toContain('wer         50 %: 1 of 2 words wrong');
    expect(shown).toContain('measurable  word_latency\n');
    expect(shown).toContain('not         acme does not say how far it has heard: use word_latency');
    expect(shown).not.toContain('phones');
  });

  it('says when nothing came', () => {
    const silent = {
      ...summary,
      counts: {},
      wordLatency: undefined,
      firstPartialMs: undefined,
      finalLatencyMs: undefined,
    };
    const shown = probeSummaryText({ ...silent, wer: undefined }, coloured);
    expect(shown).toContain(red('nothing at all'));
    expect(shown).toContain(red('no final came'));
    expect(shown).not.toContain('wer');
  });
});
