import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { SessionMeter } from '../../../src/load/meter/session-meter.ts';
import type { LoadPhase, UtterancePlan } from '../../../src/load/plan/learner-plan.ts';
import { type DistributionName, quantile } from '../../../src/metrics/definitions.ts';
import { histogramsReady } from '../../../src/metrics/histogram.ts';
import { LiveSlice } from '../../../src/metrics/live-slice.ts';
import { Recorder } from '../../../src/metrics/recorder.ts';
import type { Slice } from '../../../src/metrics/slice.ts';
import { TraceSink } from '../../../src/metrics/traces.ts';
import type { ServerEvent } from '../../../src/protocol/server-messages.ts';
import { type Objective, parseObjective } from '../../../src/slo/objective/expression.ts';
import { phoneAt } from '../../kit/fake-server.ts';

beforeAll(histogramsReady);
let all: Recorder;
let recorder: Slice;
afterEach(() => all[Symbol.dispose]());

describe('a session of one utterance of ten seconds, in virtual time', () => {
  it('answered 30 ms after each slot has 50 ms everywhere: a frame and the answer', () => {
    const meter = newMeter();
    for (let k = 1; k <= 100; k++) meter.event(feedback(k, k * 100), 1000 + k * 100 + 30);
    close(meter);
    expect(recorder.distributions.feedback_latency.samples).toBe(100);
    expect(at(0.5)).toBeCloseTo(50, 0);
    expect(at(1)).toBeCloseTo(50, 0);
    expect(recorder.distributions.first_partial.valueAtRank(1)).toBeCloseTo(1130 - 1000 - 40, 0);
  });

  it('with a server that stalls for a second shows the stall of every slot, not of one event', () => {
    const meter = newMeter();
    for (let k = 1; k <= 50; k++) meter.event(feedback(k, k * 100), 1000 + k * 100 + 30);
    // The sound of 5.0 to 6.0 s is answered by one event when the server wakes; a tester that times events sees one sample.
    meter.event(feedback(51, 6000), 7030);
    for (let k = 61; k <= 100; k++) meter.event(feedback(k, k * 100), 1000 + k * 100 + 30);
    close(meter);
    expect(recorder.distributions.feedback_latency.samples).toBe(100);
    expect(at(0.9)).toBeCloseTo(50, 0);
    expect(at(0.95)).toBeCloseTo(450, -1);
    expect(at(1)).toBeCloseTo(950, -1);
  });

  it('that goes silent half way owes the other half', () => {
    const meter = newMeter();
    for (let k = 1; k <= 50; k++) meter.event(feedback(k, k * 100), 1000 + k * 100 + 30);
    close(meter, 'lost');
    expect(recorder.distributions.feedback_latency).toMatchObject({ samples: 100 });
    expect(at(0.5)).toBeCloseTo(50, 0);
    expect(at(0.51)).toBe(Number.POSITIVE_INFINITY);
    expect(recorder.distributions.final_latency.valueAtRank(1)).toBe(Number.POSITIVE_INFINITY);
    expect(recorder.tally).toMatchObject({ sessions: 1, sessions_died: 1, sessions_ok: 0 });
  });

  it('whose final comes late owes what it owed, and the final is counted apart', () => {
    const meter = newMeter();
    for (let k = 1; k <= 50; k++) meter.event(feedback(k, k * 100), 1000 + k * 100 + 30);
    expect(meter.event({ ...final(55), audio_ms: 10_000, words: [], late: true } as ServerEvent, 60_000)).toEqual([]);
    close(meter, 'lost');
    expect(recorder.distributions.feedback_latency).toMatchObject({ samples: 100, never: 50 });
    expect(recorder.distributions.final_latency).toMatchObject({ samples: 1, never: 1 });
    expect(recorder.tally).toMatchObject({ late_finals: 1, utterances: 0, utterances_due: 1, utterances_good: 0 });
  });

  it('whose server missed frames blames the network for those that the app did not lose', () => {
    const meter = newMeter();
    meter.event(ready(1), 1040);
    meter.frames.frameLost();
    for (const [i, frames] of [3, 2, 7].entries()) {
      // An acknowledgement passes those of the first two.
      if (i === 2) meter.event({ event_id: 4, audio_ms: 0, type: 'ack', ...passed }, 1500);
      meter.event({ event_id: 2 + i, audio_ms: 0, type: 'info', code: 'audio_gap', message: 'gone', frames }, 1500);
    }
    close(meter);
    expect(recorder.tally).toMatchObject({ lost_by_network: 4, lost_by_app: 1, lost_frames: 0 });
  });

  it('that was interrupted owes only what was due by then, and is no session', () => {
    const meter = newMeter();
    for (let k = 1; k <= 50; k++) meter.event(feedback(k, k * 100), 1000 + k * 100 + 30);
    meter.end(1000 + 5250, { outcome: 'interrupted', sent: 300, unacked: 10, lostUnacked: 0, resent: 0 });
    expect(recorder.distributions.feedback_latency.samples).toBe(52);
    expect(recorder.tally).toMatchObject({
      sessions: 0,
      sessions_cut: 1,
      lost_frames: 0,
      frames_sent: 290,
      frames_acked: 290,
    });
  });

  it('splits each latency over the stages, which sum to it', () => {
    const traces = new TraceSink(10, 1);
    const meter = newMeter(traces);
    meter.roundTrip(4);
    for (let i = 0; i < 5; i++) meter.frames.frameSent(1020 + i * 20, 1021 + i * 20);
    meter.event(feedback(1, 100), 1130);
    close(meter);
    const [{ total_ms, stages } = expect.fail('no trace')] = traces.taken();
    expect(total_ms).toBe(50);
    expect(stages).toMatchObject({
      capture: 20,
      late_send: 1,
      uplink: 2,
      downlink: 2,
      queue: 5,
      asr: 3,
      unattributed: 17,
    });
    expect(Object.values(stages).reduce((a, b) => a + b, 0)).toBeCloseTo(50, 6);
  });

  it('splits feedback on a frame that was never sent, too', () => {
    const traces = new TraceSink(10, 1);
    const meter = newMeter(traces);
    for (let i = 0; i < 4; i++) meter.frames.frameSent(1020 + i * 20, 1021 + i * 20);
    meter.frames.frameDropped();
    meter.event(feedback(1, 100), 1000 + 150);
    const [{ total_ms, stages } = expect.fail('no trace')] = traces.taken();
    expect(total_ms).toBe(70);
    expect(stages).toMatchObject({ capture: 20, queue: 5, asr: 3, late_send: 0, unattributed: 42 });
  });

  it('charges a feedback with the way of the frame behind its window', () => {
    const traces = new TraceSink(10, 1);
    const meter = newMeter(traces);
    for (let i = 0; i < 6; i++) meter.frames.frameSent(1020 + i * 20, 1020 + i * 20 + (i === 5 ? 7 : 1));
    const event = feedback(1, 100);
    meter.event({ ...event, timing: { window: 20, queue: 1 } } as ServerEvent, 1130);
    close(meter);
    const [{ stages } = expect.fail('no trace')] = traces.taken();
    expect(stages).toMatchObject({ capture: 20, window: 20, late_send: 7, queue: 1, unattributed: 2 });
  });

  it('measures words from their acoustic ends to the first message that shows them', () => {
    const meter = wordMeter();
    meter.event(transcript(1, ['a']), 1400);
    meter.event(transcript(2, ['a', 'b', 'c', 'd']), 3700);
    // The fourth goes away again, and comes back: it was shown at once.
    meter.event(transcript(3, ['a', 'b', 'c']), 3900);
    meter.event({ ...final(4), audio_ms: 10_000, words: wordsOf(4) }, 11_000);
    close(meter);
    // Ends at 1,300, 2,500, 4,000 (shown before) and 3,500, of five words of which the last is not read.
    expect(samplesOf('word_latency')).toEqual([0, 100, 200, 1200]);
  });

  it('shows words with the final that no partial showed, but for those that it calls omitted', () => {
    const meter = wordMeter();
    meter.event({ ...final(1), audio_ms: 10_000, words: wordsOf(3, 1) }, 11_000);
    close(meter);
    expect(samplesOf('word_latency')).toEqual([7000, 9700, Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY]);
  });

  it('owes every word of an utterance without a final that no partial showed', () => {
    const meter = wordMeter();
    meter.event(transcript(1, ['a', 'b']), 2600);
    close(meter, 'lost');
    expect(samplesOf('word_latency')).toEqual([100, 1300, Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY]);
  });

  it.each<[string, Partial<UtterancePlan>, number]>([
    ['that the learner broke off before their end', { frames: 100 }, 2],
    ['whose end the app held back', { gated: [[50, 100]] }, 3],
  ])('does not owe words %s', (_, change, due) => {
    const meter = wordMeter(change);
    close(meter, 'lost');
    expect(samplesOf('word_latency')).toHaveLength(due);
  });

  it('measures a final from the last sound, and phones from their acoustic ends', () => {
    const meter = newMeter();
    meter.event(feedback(1, 300, 200), 1345);
    meter.event({ ...final(2), audio_ms: 10_000 }, 11_060);
    close(meter);
    expect(recorder.distributions.final_latency.valueAtRank(1)).toBeCloseTo(60, 0);
    expect(recorder.distributions.phoneme_latency.valueAtRank(1)).toBeCloseTo(145, 0);
    expect(recorder.tally).toMatchObject({ sessions_ok: 1, utterances: 1 });
  });

  it('counts a resume from the drop, and never if it did not come', () => {
    const meter = newMeter();
    meter.dropped(2000);
    meter.event({ ...ready(1), resumed: true }, 2350);
    meter.dropped(3000);
    close(meter, 'lost');
    expect(recorder.distributions.resume_time.samples).toBe(2);
    expect(recorder.distributions.resume_time.valueAtRank(1)).toBeCloseTo(350, 0);
    expect(recorder.distributions.resume_time.valueAtRank(2)).toBe(Number.POSITIVE_INFINITY);
  });
});

describe('one utterance of ten seconds', () => {
  it('has a gap between each two feedbacks, and an infinite one when the final never comes', () => {
    const meter = newMeter();
    for (const [k, receivedMs] of [1100, 1200, 1500].entries()) meter.event(feedback(k + 1, 100 * (k + 1)), receivedMs);
    close(meter, 'lost');
    const gaps = recorder.distributions.partial_gap;
    expect([1, 2, 3].map((rank) => Math.round(gaps.valueAtRank(rank)))).toEqual([100, 300, Infinity]);
  });

  it('counts phones whose shown score changed, and words that changed or went away', () => {
    const meter = newMeter();
    const scored = (id: number, accuracies: readonly number[]): ServerEvent => {
      const phonemes = accuracies.map((accuracy, index) => ({ ...phoneAt(index, 100), accuracy, status }));
      return { ...feedback(id, id * 100), phonemes } as ServerEvent;
    };
    const status = 'provisional' as const;
    meter.event(scored(1, [50, 60]), 1110);
    meter.event(scored(2, [50, 70, 80]), 1210);
    meter.event(scored(3, [50, 60, 80]), 1310);
    meter.event(transcript(4, ['one', 'two']), 1320);
    meter.event(transcript(5, ['one', 'too', 'three']), 1330);
    meter.event(transcript(6, ['one', 'two']), 1340);
    close(meter, 'lost');
    expect(recorder.tally).toMatchObject({ phones_shown: 3, phones_revised: 1, words_shown: 3, words_changed: 2 });
  });

  it('owes no feedback for sound that the app held back, nor for the slot just before', () => {
    const meter = newMeter(undefined, 0, { gated: [[100, 250]] });
    // 2 s to 5 s are silence, not sent: the 100 slots are 30 less, and one whose end a server cannot know.
    for (let k = 1; k <= 19; k++) meter.event(feedback(k, k * 100), 1000 + k * 100 + 30);
    meter.event(feedback(20, 5100), 6130);
    for (let k = 52; k <= 100; k++) meter.event(feedback(k - 31, k * 100), 1000 + k * 100 + 30);
    close(meter);
    expect(recorder.distributions.feedback_latency.samples).toBe(69);
    expect(at(1)).toBeCloseTo(50, 0);
    // From 2,930 to 6,130, less three seconds.
    expect(recorder.distributions.partial_gap.valueAtRank(68)).toBeCloseTo(200, 0);
    expect(recorder.tally).toMatchObject({ sound_due_ms: 6900, sound_served_ms: 6900 });
  });
});

describe('goodput', () => {
  const objectives = [
    'p95(feedback_latency) < 100ms',
    'max(final_latency) < 1s',
    'rate(violations) == 0',
    'availability >= 99%',
    'p99(connect_time) < 1ms',
    'p95(feedback_latency){profile=lte} < 1ms',
  ].map(parseObjective);
  const answered = (meter: SessionMeter, late: number) => {
    for (let k = 1; k <= 100; k++) meter.event(feedback(k, k * 100), 1000 + k * 100 + (k <= late ? 500 : 30));
  };
  it.each([
    ['an utterance that meets every objective by itself', 5, 11_010, 'closed', 1],
    ['one with more than a twentieth late', 6, 11_010, 'closed', 0],
    ['one whose final is late', 0, 12_010, 'closed', 0],
    ['one without a final', 0, undefined, 'lost', 0],
  ] as const)('%s', (_, late, finalMs, outcome, good) => {
    const meter = newMeter(undefined, 0, {}, objectives);
    answered(meter, late);
    if (finalMs !== undefined) meter.event({ ...final(101), audio_ms: 10_000, words: [] }, finalMs);
    close(meter, outcome);
    expect(recorder.tally).toMatchObject({ utterances_due: 1, utterances_good: good });
  });

  it('a broken rule spoils it', () => {
    const meter = newMeter(undefined, 0, {}, objectives);
    answered(meter, 0);
    meter.event({ ...final(105), audio_ms: 10_000, words: [] }, 11_010);
    close(meter);
    expect(recorder.tally).toMatchObject({ violations: 1, utterances_good: 0 });
  });

  it('sessions keep account of their misses, for each objective that is judged from a sample', () => {
    const meter = newMeter(undefined, 0, {}, objectives);
    answered(meter, 10);
    close(meter, 'lost');
    expect(Object.keys(recorder.clusters)).toEqual([
      'availability',
      'goodput',
      'p95(feedback_latency) < 100ms',
      'availability >= 99%',
      'p99(connect_time) < 1ms',
    ]);
    expect(recorder.clusters['p95(feedback_latency) < 100ms']).toMatchObject({
      sessions: 1,
      samples: 100,
      misses: 10,
      samplesSquared: 10_000,
      missesSquared: 100,
      missesSamples: 1000,
    });
  });
});

describe('a load of two phases', () => {
  // The clock shows 500 at the plan's 0: the spike begins at 6,000, with the slot of 5.1 s.
  const loadPhases = [
    { name: 'base', beginMs: 0, endMs: 5500 },
    { name: 'spike', beginMs: 5500, endMs: 20_000 },
  ];
  const objectives = [
    'p95(feedback_latency) < 100ms',
    'p95(feedback_latency){phase=spike} < 100ms',
    'p95(feedback_latency){phase=base} < 100ms',
  ].map(parseObjective);
  const of = (phase: string) => all.slice({ profile: 'direct', language: 'en-US', phase });
  const run = () => {
    const meter = newMeter(undefined, 0, {}, objectives, loadPhases);
    for (let k = 1; k <= 100; k++) meter.event(feedback(k, k * 100), 1000 + k * 100 + (k > 50 ? 900 : 30));
    meter.event({ ...final(101), audio_ms: 10_000, words: [] }, 11_910);
    meter.end(Number.POSITIVE_INFINITY, { outcome: 'closed', sent: 500, unacked: 0, lostUnacked: 0, resent: 0 });
  };

  it('puts each sample where it was due, and sessions where they began', () => {
    run();
    const [base, spike] = [of('base'), of('spike')];
    expect(base.distributions.feedback_latency.samples).toBe(50);
    expect(quantile(base.distributions.feedback_latency, 1)).toBeCloseTo(50, 0);
    expect(spike.distributions.feedback_latency.samples).toBe(50);
    expect(quantile(spike.distributions.feedback_latency, 0.01)).toBeCloseTo(920, -1);
    expect(base.tally).toMatchObject({ sessions: 1, frames_sent: 500, utterances_due: 1, sound_due_ms: 5000 });
    expect(spike.tally).toMatchObject({ sessions: 0, frames_sent: 0, utterances_due: 0, sound_due_ms: 5000 });
    const whole = all.merged();
    expect(whole.distributions.feedback_latency.samples).toBe(100);
    expect(all.merged({ phase: 'SPIKE' }).distributions.feedback_latency.samples).toBe(50);
  });

  it('holds each objective against its own phase, and an utterance against those of its beginning', () => {
    run();
    const sums = (objective: string) => [of('base'), of('spike')].map(({ clusters }) => clusters[objective]);
    expect(sums(objectives[0]!.source)).toMatchObject([{ samples: 100, misses: 50 }, undefined]);
    expect(sums(objectives[1]!.source)).toMatchObject([undefined, { samples: 50, misses: 50 }]);
    expect(sums(objectives[2]!.source)).toMatchObject([{ samples: 50, misses: 0 }, undefined]);
    expect(of('base').tally.utterances_good).toBe(0);
  });
});

describe('while the test runs', () => {
  /** As those see it who get each look and add it up. */
  let view: LiveSlice;
  const live = () => {
    view.add(recorder.look());
    return view.of('feedback_latency');
  };

  beforeEach(() => {
    view = new LiveSlice({ profile: '', language: '' });
  });

  it('a session that died goes on owing what becomes due', () => {
    const meter = newMeter();
    for (let k = 1; k <= 10; k++) meter.event(feedback(k, k * 100), 1000 + k * 100 + 30);
    meter.over('lost');
    meter.tick(4000);
    expect(live()).toMatchObject({ samples: 30, never: 20 });
    expect(recorder.tally).toMatchObject({ sessions: 1, sessions_died: 1 });
    meter.tick(20_000);
    close(meter, 'lost');
    expect(recorder.distributions.feedback_latency).toMatchObject({ samples: 100, never: 90 });
    expect(recorder.distributions.final_latency).toMatchObject({ samples: 1, never: 1 });
    expect(recorder.tally).toMatchObject({ sessions: 1, sessions_died: 1 });
  });

  it('feedback that is long overdue is shown as never, and counted as it comes', () => {
    const meter = newMeter();
    meter.tick(11_500);
    expect(live()).toMatchObject({ samples: 5, never: 5 });
    meter.tick(12_000);
    expect(live()).toMatchObject({ samples: 10, never: 10 });
    for (let k = 1; k <= 100; k++) meter.event(feedback(k, k * 100), 13_000);
    close(meter);
    expect(live()).toMatchObject({ samples: 100, never: 10 });
    expect(recorder.distributions.feedback_latency).toMatchObject({ samples: 100, never: 0 });
  });
});

it('what was due in the warm-up is in no distribution, and is counted apart', () => {
  const meter = newMeter(undefined, 500 + 5000);
  for (let k = 1; k <= 100; k++) meter.event(feedback(k, k * 100), 1000 + k * 100 + (k <= 50 ? 900 : 30));
  for (let i = 1; i <= 500; i++) meter.frames.frameSent(1000 + i * 20, 1001 + i * 20);
  meter.event({ ...final(101), audio_ms: 10_000 }, 11_010);
  close(meter);
  // Slot 50 ends at 6,000, its last frame began at 5,980; the session arrived at 700.
  expect(recorder.distributions.feedback_latency.samples).toBe(50);
  expect(at(1)).toBeCloseTo(50, 0);
  expect(recorder.distributions.connect_time.samples).toBe(0);
  expect(recorder.distributions.send_lateness.samples).toBe(251);
  expect(recorder.distributions.final_latency.samples).toBe(1);
  // Fifty slots, forty gaps between feedback that came before 6,000, connecting, the first partial, a phone twice, 249 frames.
  expect(recorder.tally.warmup_samples).toBe(50 + 40 + 1 + 1 + 2 + 249);
  expect(recorder.tally).toMatchObject({ sessions_ok: 1, utterances: 1 });
});

/** The learner arrives at 700 on the clock and speaks from 1000 on; speech begins 40 ms into the clip. */
function newMeter(
  traces = new TraceSink(1000, 1),
  warmupMs = 0,
  change: Partial<UtterancePlan> = {},
  objectives: readonly Objective[] = [],
  loadPhases: readonly LoadPhase[] = [],
  wordEndsMs: readonly (number | undefined)[] = [],
): SessionMeter {
  all = new Recorder();
  recorder = all.slice({ profile: 'direct', language: 'en-US' });
  const utterances = [{ clip: 0, beginMs: 500, frames: 500, ...change }];
  const plan = { learner: 0, arrivalMs: 200, leaveMs: 10_500, network: 'none', language: 'en-US', utterances };
  const options = {
    plan,
    speechBeginMs: [40],
    wordEndsMs: [wordEndsMs],
    startMs: 500,
    warmupMs,
    frameMs: 20,
    emitIntervalMs: 100,
    recorder: all,
    traces,
    objectives,
    loadPhases,
  };
  const meter = new SessionMeter(options);
  meter.event(ready(0), 712);
  return meter;
}

function close(meter: SessionMeter, outcome: 'closed' | 'lost' = 'closed') {
  meter.end(Number.POSITIVE_INFINITY, { outcome, sent: 500, unacked: 0, lostUnacked: 0, resent: 0 });
}

function at(p: number): number | undefined {
  return quantile(recorder.distributions.feedback_latency, p);
}

/** Of five words of which the last is not read. */
function wordMeter(change: Partial<UtterancePlan> = {}): SessionMeter {
  return newMeter(undefined, 0, change, [], [], [300, 1500, 3000, 2500, undefined]);
}

/** To 20 ms, within which the histogram keeps what is below 20 s. */
function samplesOf(name: DistributionName): number[] {
  const { [name]: distribution } = recorder.distributions;
  return Array.from({ length: distribution.samples }, (_, i) => Math.round(distribution.valueAtRank(i + 1) / 20) * 20);
}

/** The words of a final, the one at `omitted` not read. */
function wordsOf(count: number, omitted = -1) {
  const [word] = final(0).words;
  return Array.from({ length: count }, (_, place) => ({
    ...word,
    phonemes: [],
    error_type: place === omitted ? ('omission' as const) : ('none' as const),
  }));
}

function feedback(id: number, audioMs: number, phoneEndMs = audioMs): ServerEvent {
  const phonemes = [phoneAt(id, phoneEndMs)];
  const timing = { queue: 5, asr: 3 };
  return { event_id: id, audio_ms: audioMs, type: 'phoneme_feedback', utterance_id: 1, rev: id, phonemes, timing };
}

function transcript(id: number, texts: readonly string[]): ServerEvent {
  const words = texts.map((text, word_index) => ({ word_index, text, start_ms: 0, end_ms: 1, is_final: false }));
  const rest = { rev: id, text: texts.join(' '), is_final: false, stability: 0, deviations: [], timing: {} };
  return { event_id: id, audio_ms: 0, type: 'transcript', utterance_id: 1, words, ...rest };
}

function final(id: number) {
  const phonemes = [phoneAt(1, 200)];
  const pronunciation = { source: 'given', variant: 0 } as const;
  const word = {
    text: 'a',
    start_ms: 0,
    end_ms: 200,
    accuracy: 90,
    error_type: 'none',
    pronunciation,
    phonemes,
  } as const;
  return {
    event_id: id,
    type: 'utterance_final',
    utterance_id: 1,
    reason: 'finalize',
    marker: null,
    timing: {},
    heard: 'text',
    scores: { accuracy: 90, fluency: 90, completeness: 100, pronunciation: 90 },
    words: [word],
    deviations: [],
    pace: { words_per_minute: 100, speech_ms: 1000, pause_ms: 0, longest_pause_ms: 0, pauses: 0 },
    final_lag_ms: { p50: 0, p95: 0, max: 0 },
  } as const;
}

const passed = { epoch: 0, next_seq: 9, missing: [], buffered_ms: 0 } as const;

function ready(id: number): ServerEvent & { type: 'ready' } {
  return {
    event_id: id,
    audio_ms: 0,
    type: 'ready',
    session_id: 's',
    resume_token: 't',
    resume_ttl_ms: 30_000,
    next_seq: 0,
    epoch: 0,
    utterance_id: 1,
    resumed: false,
    limits: { max_frame_bytes: 1, max_session_ms: 1, idle_timeout_ms: 1, max_buffered_ms: 1 },
    model: { name: 'm', version: '1', provider: 'cpu', lookahead_ms: 80, phones: [] },
    reference: { words: [] },
  };
}
