import { render } from 'ink-testing-library';
import type { ReactElement } from 'react';
import { describe, expect, it } from 'vitest';
import type { LoadProgress } from '../../src/load/generator/live-run.ts';
import type { PhonemeResult } from '../../src/protocol/result.ts';
import type { ServerEvent } from '../../src/protocol/server-messages.ts';
import { LoadScreen, type LoadView } from '../../src/report/load/screen.tsx';
import { latencyLine, streamLine } from '../../src/report/score/stream-lines.ts';
import { StreamScreen } from '../../src/report/score/stream-screen.tsx';
import { newStreamView, type StreamView, withEvent } from '../../src/report/score/stream-view.ts';
import { sparkline } from '../../src/report/terminal/sparkline.ts';
import type { ObjectiveVerdict } from '../../src/slo/objective/objective-verdict.ts';
import { progress } from '../kit/progress-fixture.ts';
import { report } from '../kit/report-fixture.ts';

describe('the screen of a load test', () => {
  const view: LoadView = {
    name: 'quickstart',
    phase: 'learners are speaking',
    durationMs: 25_000,
    objectives: ['p95(feedback_latency) < 500ms'],
    history: [],
  };
  const verdict = (change: Partial<ObjectiveVerdict>): ObjectiveVerdict => ({
    ...report.objectives[0]!,
    value: 88.1,
    ...change,
  });
  const lost = { ...progress, sessions: { ...progress.sessions, refused: 2, died: 1 }, never: 7 };
  const mixed = {
    ...progress,
    profiles: [
      { profile: 'lte', samples: 1000, p50Ms: 50, p95Ms: 80 },
      { profile: 'edge', samples: 893, p50Ms: 400, p95Ms: 900 },
    ],
  };
  const course = [10, 80, Number.POSITIVE_INFINITY].map((recentP95Ms) => ({ ...progress, recentP95Ms }));

  it('shows the phase and the objectives before the load begins', () => {
    const frame = frameOf(<LoadScreen view={{ ...view, phase: 'starting the server' }} />);
    expect(frame).toContain('quickstart starting the server');
    expect(frame).toContain('p95(feedback_latency) < 500ms');
    expect(frame).not.toContain('learners ');
  });

  it.each<[string, LoadProgress[], string | RegExp]>([
    ['the time and what is left', [progress], `${'█'.repeat(10)}${'░'.repeat(10)} 12.5 s of 25.0 s, 12.5 s left`],
    ['that only finals are awaited', [{ ...progress, elapsedMs: 26_000, leftMs: 0 }], 'waiting for the last finals'],
    ['who speaks now, and arrivals', [progress], /learners +14 speaking +█ +15 of 20 arrived, 1 ended/],
    ['refused and dead sessions', [lost], '2 refused, 1 died'],
    ['feedback so far', [progress], /feedback +61\.0 ms +88\.1 ms +120 ms +█ +of 1893/],
    ['feedback that never came', [lost], 'of 1893, 7 never came'],
    ['the course of its p95', course, '▂██'],
    ['each stage', [progress], / {2}asr +11\.0 ms +21\.0 ms +█/],
    ['each network, when there are several', [mixed], / {2}on edge +400 ms +900 ms +of 893/],
    ['how the generator does', [progress], '9000 frames sent, p99 1.30 ms late; 40 utterances finished'],
    ['broken rules', [progress], '2 protocol violations'],
    [
      'an objective met so far',
      [{ ...progress, objectives: [verdict({ verdict: 'pass' })] }],
      /✓ p95.* 88\.1 ms so far, pass/,
    ],
    ['an objective missed', [{ ...progress, objectives: [verdict({ verdict: 'fail' })] }], /✗ p95.*fail/],
    [
      'an objective not yet proven',
      [{ ...progress, objectives: [verdict({ verdict: 'invalid', reason: 'needs 12 more samples' })] }],
      /… p95.*not yet: needs 12 more samples/,
    ],
    ['that nothing came yet', [{ ...progress, samples: 0 }], /feedback +none yet/],
  ])('shows %s', (_, history, part) => {
    expect(frameOf(<LoadScreen view={{ ...view, history }} />)).toMatch(part);
  });

  it('has no row for networks when there is one', () => {
    expect(frameOf(<LoadScreen view={{ ...view, history: [progress] }} />)).not.toContain('on direct');
  });
});

it.each([
  [[0, 50, 100], 3, '▁▅█'],
  [[1, 2, 3, 4], 2, '▇█'],
  [[5, undefined, Number.POSITIVE_INFINITY], 3, '█ █'],
  [[0.1, 0.2], 2, '▁▂'],
  [[], 5, ''],
])('%j as a sparkline of %d cells is "%s"', (values, width, text) => {
  expect(sparkline(values, width)).toBe(text);
});

describe('a live reading', () => {
  const started = withEvent(newStreamView('a.wav', 2680), ready, undefined);

  it('begins with its words, phones to come', () => {
    expect(frameOf(<StreamScreen view={started} />)).toMatch(/They {2}have\s*\n\s*· · {3}· · ·/);
  });

  it('colours phones as they come, with symbols that say the same', () => {
    let view = withEvent(started, feedback([phone(0, 0, 90, 'final'), phone(1, 0, 50, 'provisional')]), 47);
    view = withEvent(view, feedback([{ ...phone(2, 1, 20, 'final'), error_type: 'substitution' }]), 52);
    const frame = frameOf(<StreamScreen view={view} />);
    expect(frame).toContain('P0 ~P1');
    expect(frame).toContain('!P2 · ·');
    expect(frame).toContain('last event 52.0 ms after its sound, 2 so far');
  });

  it('replaces a provisional phone by its final one, once', () => {
    let view = withEvent(started, feedback([phone(0, 0, 50, 'provisional')]), 47);
    view = withEvent(view, feedback([phone(0, 0, 90, 'final')]), 47);
    expect(view.words[0]!.results).toEqual([phone(0, 0, 90, 'final')]);
  });

  it('counts resumes and keeps what it has', () => {
    const view: StreamView = { ...withEvent(started, feedback([phone(0, 0, 90, 'final')]), 47), drops: 1 };
    const resumed = withEvent(view, { ...ready, resumed: true }, undefined);
    expect(resumed).toMatchObject({ state: 'reading', resumes: 1, words: view.words });
    expect(frameOf(<StreamScreen view={resumed} />)).toContain('socket lost 1 x, resumed 1 x');
  });

  it.each<[string, ServerEvent, number | undefined, string]>([
    [
      'a phone that is final, one that is not, one that is wrong',
      feedback([
        phone(0, 0, 90, 'final'),
        phone(1, 0, 88, 'provisional'),
        { ...phone(2, 1, 20, 'final'), error_type: 'substitution' },
      ]),
      47,
      '  1.30 s  +47.0 ms  phoneme_feedback  P0 90  (P1 88)  !P2 20',
    ],
    [
      'an ack',
      { event_id: 1, audio_ms: 0, type: 'ack', epoch: 0, next_seq: 10, missing: [], buffered_ms: 0 },
      undefined,
      '  1.30 s            ack               frames before 10',
    ],
    [
      'an error',
      {
        event_id: 1,
        audio_ms: 0,
        type: 'error',
        code: 'too_fast',
        message: 'slow down',
        retryable: true,
        retry_after_ms: 5,
      },
      undefined,
      '  1.30 s            error             too_fast: slow down',
    ],
    [
      'a transcript',
      {
        event_id: 1,
        audio_ms: 900,
        type: 'transcript',
        utterance_id: 1,
        rev: 1,
        text: 'They have',
        words: [],
        is_final: false,
        stability: 0.5,
        deviations: [],
        timing: {},
      },
      46.7,
      '  1.30 s  +46.7 ms  transcript        stable 50 %: They have',
    ],
  ])('as a plain line: %s', (_, event, latencyMs, line) => {
    expect(streamLine(event, 1300, latencyMs)).toBe(line);
  });

  it.each([
    [
      { latenciesMs: [40, 50, 200], drops: 0, resumes: 0, framesResent: 0 },
      '3 events, 50.0 ms after their sound at p50, 200 ms at p95, 200 ms at most; 135 frames sent, 0 lost',
    ],
    [
      { latenciesMs: [], drops: 1, resumes: 1, framesResent: 6 },
      'no feedback came; 135 frames sent, 0 lost\nsocket lost 1 x, resumed 1 x, 6 frames sent again',
    ],
  ])('ends with a summary: %o', (totals, line) => {
    expect(latencyLine({ ...totals, framesSent: 135, framesLost: 0 })).toBe(line);
  });
});

const ready = {
  event_id: 0,
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
  reference: {
    words: [
      { text: 'They', phones: ['DH', 'EY'], source: 'dictionary' },
      { text: 'have', phones: ['HH', 'AE', 'V'], source: 'dictionary' },
    ],
  },
} satisfies ServerEvent;

function feedback(phonemes: PhonemeResult[]): ServerEvent {
  return { event_id: 1, audio_ms: 100, type: 'phoneme_feedback', utterance_id: 1, rev: 1, phonemes, timing: {} };
}

function phone(index: number, word: number, accuracy: number, status: PhonemeResult['status']): PhonemeResult {
  const times = { start_ms: 0, end_ms: 100, gop: -1, confidence: 1 };
  return { index, word_index: word, phoneme: `P${index}`, accuracy, error_type: 'none', status, nbest: [], ...times };
}

function frameOf(element: ReactElement): string {
  const screen = render(element);
  const frame = screen.lastFrame() ?? '';
  screen.unmount();
  return frame;
}
