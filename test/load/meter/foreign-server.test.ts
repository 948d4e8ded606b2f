import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Foreign, SessionMeter } from '../../../src/load/meter/session-meter.ts';
import { spokenText } from '../../../src/load/meter/spoken-text.ts';
import type { UtterancePlan } from '../../../src/load/plan/learner-plan.ts';
import type { DistributionName } from '../../../src/metrics/definitions.ts';
import { histogramsReady } from '../../../src/metrics/histogram.ts';
import { Recorder } from '../../../src/metrics/recorder.ts';
import { TraceSink } from '../../../src/metrics/traces.ts';
import { measurementsOf } from '../../../src/results/measurements.ts';
import { parseObjective } from '../../../src/slo/objective/expression.ts';

beforeAll(histogramsReady);
let all: Recorder;
afterEach(() => all[Symbol.dispose]());

const never = Number.POSITIVE_INFINITY;
const text = 'one two three four';
const words = ['one', 'two', 'three', 'four'].map((word, k) => ({ text: word, endMs: 500 * (k + 1) }));

/** Two utterances of two seconds, spoken from 1,000 and from 4,000 on; words end each half second. */
function meterOf(
  reach: Foreign['reach'],
  change: { words?: typeof words | undefined; first?: Partial<UtterancePlan>; objectives?: readonly string[] } = {},
) {
  all = new Recorder();
  const traces = new TraceSink(100, 1);
  const own = 'words' in change ? change.words : words;
  const texts = [spokenText({ text, language: 'en-US', ...(own && { words: own }) })];
  const utterances = [
    { clip: 0, beginMs: 500, frames: 100, ...change.first },
    { clip: 0, beginMs: 3500, frames: 100 },
  ];
  const meter = new SessionMeter({
    plan: { learner: 0, arrivalMs: 200, leaveMs: 6000, network: 'none', language: 'en-US', utterances },
    speechBeginMs: [40],
    clipFrames: [100],
    foreign: { reach, texts },
    startMs: 500,
    warmupMs: 0,
    frameMs: 20,
    emitIntervalMs: 100,
    recorder: all,
    traces,
    objectives: (change.objectives ?? []).map(parseObjective),
  });
  meter.ready(750);
  const end = (outcome: 'closed' | 'lost' = 'closed') => {
    meter.end(never, { outcome, sent: 200, unacked: 0, lostUnacked: 0, resent: 0 });
    const slice = all.slice({ profile: 'direct', language: 'en-US' });
    const samples = (name: DistributionName) => {
      const { [name]: distribution } = slice.distributions;
      return Array.from({ length: distribution.samples }, (_, i) => Math.round(distribution.valueAtRank(i + 1)));
    };
    return { samples, slice, measured: measurementsOf(slice), traces: traces.taken() };
  };
  return { meter, end };
}

const partial = (utterance: number, said: string, settled = 0, coversMs?: number) => ({
  is: 'partial' as const,
  utterance,
  text: said,
  settled,
  coversMs,
});
const final = (utterance: number, said: string) => ({
  is: 'final' as const,
  utterance,
  text: said,
  settled: said.length,
});

describe('a server that says text alone', () => {
  const answered = (meter: SessionMeter) => {
    meter.heard(partial(0, 'one'), 1600);
    meter.heard(partial(0, 'one too', 3), 2150);
    meter.heard(partial(0, 'one two three', 7), 2700);
    meter.heard(final(0, 'One two three four.'), 3200);
    meter.heard(partial(1, 'one'), 4700);
    meter.heard(final(1, 'one three for'), 6250);
  };

  it('is measured from the ends of words, to the first text that has them right', () => {
    const { meter, end } = meterOf('words');
    answered(meter);
    const { samples, measured, slice } = end();
    // Ends at 1,500 to 3,000, and at 4,500 to 6,000.
    expect(samples('word_latency')).toEqual([100, 200, 200, 200, 700, 750, never, never]);
    expect(samples('word_final_latency')).toEqual([200, 650, 700, 700, 750, 1750, never, never]);
    expect(samples('final_latency')).toEqual([200, 250]);
    expect(samples('first_partial')).toEqual([560, 660]);
    expect(samples('partial_gap')).toEqual([500, 550, 550, 1550]);
    expect(samples('connect_time')).toEqual([50]);
    expect(samples('feedback_latency')).toEqual([]);
    expect(measured.shares.availability).toEqual({ good: 6, total: 8 });
    expect(measured.rates.wer).toEqual({ count: 2, of: 8 });
    // "too" became "two"; what came with the first "one" of each was in no partial before.
    expect(measured.rates.flicker_rate).toEqual({ count: 1, of: 4 });
    expect(slice.tally).toMatchObject({ sessions_ok: 1, utterances: 2, frames_sent: 200, frames_acked: 0 });
    expect(slice.tally).toMatchObject({ sound_due_ms: 4000, sound_served_ms: 4000, events: 7 });
  });

  it('has the latency of its words split by what is known of their way', () => {
    const { meter, end } = meterOf('words');
    for (let k = 1; k <= 25; k++) meter.frames.frameSent(1000 + 20 * k, 1003 + 20 * k);
    meter.roundTrip(10);
    meter.heard(partial(0, 'one'), 1600);
    const { traces } = end('lost');
    expect(traces).toMatchObject([
      { total_ms: 100, utterance: 0, stages: { capture: 0, late_send: 3, uplink: 5, downlink: 5, unattributed: 87 } },
    ]);
  });

  it('that dies owes every word that was due, and the session is one that died', () => {
    const { meter, end } = meterOf('words', { objectives: ['availability >= 90%'] });
    meter.heard(partial(0, 'one two'), 2200);
    const { samples, measured, slice } = end('lost');
    expect(samples('word_latency')).toEqual([200, 700, never, never, never, never, never, never]);
    expect(measured.shares.availability).toEqual({ good: 2, total: 8 });
    expect(slice.clusters['availability >= 90%']).toMatchObject({ samples: 8, misses: 6 });
    expect(slice.clusters.availability).toMatchObject({ samples: 8, misses: 6 });
    // Without a final there is nothing to take errors from.
    expect(measured.rates.wer).toEqual({ count: 0, of: 0 });
    expect(slice.tally).toMatchObject({ sessions_died: 1, sound_served_ms: 0 });
  });

  it('ignores what comes of an utterance after its final, and of one that nobody speaks', () => {
    const { meter, end } = meterOf('words');
    meter.heard(final(0, 'one two three four'), 3100);
    meter.heard(final(0, 'no'), 3200);
    meter.heard(final(7, 'no'), 3300);
    meter.heard(final(1, text), 6100);
    const { measured, samples } = end();
    expect(measured.rates.wer).toEqual({ count: 0, of: 8 });
    expect(samples('final_latency')).toEqual([100, 100]);
  });

  it.each<[string, Partial<UtterancePlan>]>([
    ['broken off', { frames: 60, bargeIn: true }],
    ['left before its end', { frames: 60 }],
  ])('is not held to the words of an utterance that was %s', (_, first) => {
    const { meter, end } = meterOf('words', { first });
    meter.heard(final(0, 'one two'), 2300);
    meter.heard(final(1, text), 6100);
    const { samples, measured } = end();
    expect(samples('word_latency')).toHaveLength(2 + 4);
    expect(measured.rates.wer).toEqual({ count: 0, of: 4 });
  });

  it('goes by its finals where nobody knows when words end', () => {
    const { meter, end } = meterOf('words', { words: undefined });
    meter.heard(final(0, text), 3100);
    const { samples, measured } = end('lost');
    expect(samples('word_latency')).toEqual([]);
    expect(measured.shares.availability).toEqual({ good: 1, total: 2 });
    expect(measured.rates.wer).toEqual({ count: 0, of: 4 });
  });

  it('is good for an utterance that meets its objectives by itself', () => {
    const { meter, end } = meterOf('words', { objectives: ['p50(word_latency) < 300ms', 'wer <= 10%'] });
    answered(meter);
    const { measured, slice } = end();
    expect(measured.shares.goodput).toEqual({ good: 1, total: 2 });
    expect(slice.clusters['wer <= 10%']).toMatchObject({ sessions: 1, samples: 8, misses: 2 });
    expect(slice.clusters.wer).toMatchObject({ sessions: 1, samples: 8, misses: 2 });
  });
});

describe('a server that says how far it has heard', () => {
  it('owes feedback on all of the sound, as ours does; a final covers its utterance', () => {
    const { meter, end } = meterOf('field');
    for (let k = 1; k <= 19; k++) meter.heard({ is: 'ack', coversMs: k * 100 }, 1000 + k * 100 + 30);
    meter.heard(final(0, text), 3030);
    for (let k = 1; k <= 20; k++) meter.heard(partial(1, 'one', 0, 2000 + k * 100), 4000 + k * 100 + 30);
    const { samples, measured } = end('lost');
    expect(samples('feedback_latency')).toEqual(Array.from({ length: 40 }, () => 50));
    expect(measured.shares.availability).toEqual({ good: 40, total: 40 });
    expect(samples('word_latency').filter((ms) => ms === never)).toHaveLength(3);
  });

  it('of which the words tell the same as the field, within what lies between two messages', () => {
    const byField = meterOf('field');
    const latenciesMs: number[] = [];
    for (let k = 1; k <= 40; k++) {
      const receivedMs = 1000 + k * 50 + 120;
      byField.meter.heard(partial(0, '', 0, k * 50), receivedMs);
      for (const { endMs } of words)
        if (k * 50 >= endMs && (k - 1) * 50 < endMs) latenciesMs.push(receivedMs - 1000 - endMs);
    }
    byField.end('lost');
    all[Symbol.dispose]();
    const byWords = meterOf('words');
    for (let k = 1; k <= 40; k++) {
      const said = words.filter(({ endMs }) => endMs <= k * 50).map((word) => word.text);
      byWords.meter.heard(partial(0, said.join(' ')), 1000 + k * 50 + 120);
    }
    const { samples } = byWords.end('lost');
    const shown = samples('word_latency').filter(Number.isFinite);
    expect(shown).toEqual(latenciesMs);
  });
});
