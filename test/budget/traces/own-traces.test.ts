import { describe, expect, it } from 'vitest';
import { ProblemList } from '../../../src/budget/traces/lines.ts';
import { OtlpReader } from '../../../src/budget/traces/otlp.ts';
import type { TraceRecord } from '../../../src/budget/traces/table.ts';

type Attributes = Record<string, string>;

function span(
  id: string,
  parent: string | undefined,
  name: string,
  startMs: number,
  endMs: number,
  attributes: Attributes = {},
) {
  const nanos = (ms: number) => String(BigInt(1_700_000_000_000 + ms) * 1_000_000n);
  const list = Object.entries(attributes).map(([key, stringValue]) => ({ key, value: { stringValue } }));
  const ids = { traceId: 'a1', spanId: id, ...(parent && { parentSpanId: parent }) };
  return { ...ids, name, startTimeUnixNano: nanos(startMs), endTimeUnixNano: nanos(endMs), attributes: list };
}

/** An utterance of two feedbacks, as `serve` sends it. */
function utterance(kept: string, traceId = 'a1') {
  const root = { 'speechfb.span': 'utterance', 'speechfb.kept': kept, 'speechfb.session': 's-7' };
  const feedback = { 'speechfb.span': 'feedback' };
  return [
    span('01', undefined, 'utterance', 0, 1000, root),
    span('02', '01', 'feedback', 100, 140, feedback),
    span('03', '02', 'queue', 100, 110),
    span('04', '02', 'asr', 120, 140),
    span('05', '01', 'feedback', 200, 230, feedback),
    span('06', '05', 'asr', 205, 230),
    span('07', '01', 'final', 900, 1000),
  ].map((one) => ({ ...one, traceId }));
}

function read(...spans: object[]) {
  const problems = new ProblemList();
  const reader = new OtlpReader(['queue', 'asr'], problems);
  reader.add({ resourceSpans: [{ scopeSpans: [{ spans }] }] }, 1, () => 'f:1:1');
  const records: TraceRecord[] = [];
  const { notes } = reader.finish((record) => void records.push(record));
  return { records, notes, problems: problems.count };
}

describe('what serve traces', () => {
  it('has a record in each feedback, and the session that its utterance names', () => {
    const { records, notes, problems } = read(...utterance('share'));
    expect(records.map(({ totalMs, stages, session }) => ({ totalMs, stages, session }))).toEqual([
      { totalMs: 40, stages: { queue: 10, asr: 20 }, session: 's-7' },
      { totalMs: 30, stages: { asr: 25 }, session: 's-7' },
    ]);
    expect([notes, problems]).toEqual([[], 0]);
  });

  it('is no sample where it was kept for being slow or failed: that is left out and told', () => {
    const { records, notes } = read(...utterance('share'), ...utterance('slow', 'b2'), ...utterance('failed', 'c3'));
    expect(records).toHaveLength(2);
    expect(notes).toEqual(['2 utterances are left out that were kept for being slow or failed: no sample']);
  });

  it('has no record in a session, or in an utterance that nothing was said of', () => {
    const session = span('01', undefined, 'session', 0, 5000, { 'speechfb.span': 'session' });
    const silent = span('01', undefined, 'utterance', 0, 1000, {
      'speechfb.span': 'utterance',
      'speechfb.kept': 'share',
    });
    const call = span('02', '01', 'EVALSHA save', 10, 20);
    expect(read(session, call, { ...silent, traceId: 'b2' }).records).toEqual([]);
  });

  it('counts what a node did as no stage of its own: the gateway has it in its stages', () => {
    const node = (traceId: string) =>
      [
        span('11', '01', 'node utterance', 10, 990, { 'speechfb.span': 'node', 'speechfb.node.kept': 'slow' }),
        span('12', '11', 'node feedback', 101, 139),
        span('13', '12', 'node asr', 119, 139, { 'speechfb.node.stage': 'asr' }),
      ].map((one) => ({ ...one, traceId }));
    const figures = (...spans: object[]) => read(...spans).records.map(({ totalMs, stages }) => ({ totalMs, stages }));
    const alone = figures(...utterance('share'));
    expect(alone).toHaveLength(2);
    expect(figures(...utterance('share'), ...node('a1'))).toEqual(alone);
    // The gateway kept nothing of this one.
    expect(figures(...utterance('share'), ...node('d4'))).toEqual(alone);
  });

  it('leaves alone the traces of others that use the same words', () => {
    const { records } = read(
      span('01', undefined, 'request', 0, 30, { span: 'feedback', kept: 'slow' }),
      span('02', '01', 'asr', 0, 30),
    );
    expect(records).toEqual([expect.objectContaining({ stages: { asr: 30 } })]);
  });
});
