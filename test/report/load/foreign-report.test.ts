import { expect, it } from 'vitest';
import { qualityLines, sliceHead, stageEntries } from '../../../src/report/load/quality.ts';
import type { LoadReport, Summary } from '../../../src/results/report.ts';

const of = (ms: number, samples = 5): Summary => ({
  ...{ samples, never: 0, meanMs: ms, p50Ms: ms, p90Ms: ms, p95Ms: ms, p99Ms: ms, p999Ms: ms, maxMs: ms },
});
const stages = { capture: of(20), ingress: of(0), asr: of(0), downlink: of(2), unattributed: of(100) };
const foreign = {
  stages,
  distributions: { feedback_latency: of(0, 0), word_latency: of(120) },
  rates: { wer: { count: 3, of: 60 }, flicker_rate: { count: 0, of: 40 }, revision_rate: { count: 0, of: 0 } },
  shares: { goodput: { good: 4, total: 5 } },
  totals: { audioMinutesServed: 1, audioMinutesDue: 2 },
  warmupMs: 0,
} as unknown as LoadReport;

it('calls what nobody claims the server, where that tells nothing of its own time', () => {
  expect(stageEntries(foreign).map(([name]) => name)).toEqual(['capture', 'downlink', 'server']);
  const telling = { stages: { ...stages, asr: of(3) } };
  expect(stageEntries(telling).map(([name]) => name)).toEqual(Object.keys(stages));
});

it('reads of words where a server does not say how far it has heard, and of no phones', () => {
  expect(sliceHead(foreign)[0]).toBe('word_latency of');
  expect(qualityLines(foreign)[0]).toBe(
    'quality     80 % of 5 utterances met every objective; 0 % of 40 words taken back; 5 % of 60 words wrong',
  );
});
