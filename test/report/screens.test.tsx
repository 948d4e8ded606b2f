import { render } from 'ink-testing-library';
import type { ReactElement } from 'react';
import { describe, expect, test } from 'vitest';
import type { ServerEvent } from '../../src/protocol/server-messages.ts';
import { LoadScreen, type LoadView } from '../../src/report/load-screen.tsx';
import { streamLine } from '../../src/report/stream-lines.ts';
import { StreamScreen } from '../../src/report/stream-screen.tsx';
import { latencyLine } from '../../src/report/stream-summary.ts';
import { newStreamView, type StreamView, withEvent } from '../../src/report/stream-view.ts';
import type { PhonemeResult } from '../../src/scoring/result.ts';
import { progress } from './progress-fixture.ts';

describe('the screen of a load test', () => {
  const view: LoadView = {
    name: 'quickstart',
    phase: 'learners are speaking',
    durationMs: 25_000,
    objectives: ['p95(feedback_latency) < 500ms'],
    progress: undefined,
    history: [],
  };

  test('shows the phase and the objectives before the load begins', () => {
    const frame = frameOf(<LoadScreen view={{ ...view, phase: 'starting the server' }} />);
    expect(frame).toContain('quickstart starting the server');
    expect(frame).toContain('p95(feedback_latency) < 500ms');
    expect(frame).not.toContain('learners ');
  });

  test('shows progress, latency so far, its course and the generator', () => {
    const frame = frameOf(<LoadScreen view={{ ...view, progress, history: [10, 80, Number.POSITIVE_INFINITY] }} />);
    for (const part of [
      `${'█'.repeat(16)}${'░'.repeat(16)} 12.5 s of 25.0 s`,
      '15 of 20 arrived, 1 ended',
      'p50 61.0 ms   p95 88.1 ms   p99 120 ms   of 1893',
      '▂██',
      '9000 frames sent, p99 1.30 ms late',
      '2 protocol violations',
    ]) {
      expect(frame).toContain(part);
    }
  });
});

describe('a live reading', () => {
  const started = withEvent(newStreamView('a.wav', 2680), ready, undefined);

  test('begins with its words, phones to come', () => {
    expect(frameOf(<StreamScreen view={started} />)).toMatch(/They {2}have\s*\n\s*· · {3}· · ·/);
  });

  test('colours phones as they come, with symbols that say the same', () => {
    let view = withEvent(started, feedback([phone(0, 0, 90, 'final'), phone(1, 0, 50, 'provisional')]), 47);
    view = withEvent(view, feedback([{ ...phone(2, 1, 20, 'final'), error_type: 'substitution' }]), 52);
    const frame = frameOf(<StreamScreen view={view} />);
    expect(frame).toContain('P0 ~P1');
    expect(frame).toContain('!P2 · ·');
    expect(frame).toContain('last event 52.0 ms after its sound, 2 so far');
  });

  test('replaces a provisional phone by its final one, once', () => {
    let view = withEvent(started, feedback([phone(0, 0, 50, 'provisional')]), 47);
    view = withEvent(view, feedback([phone(0, 0, 90, 'final')]), 47);
    expect(view.words[0]!.results).toEqual([phone(0, 0, 90, 'final')]);
  });

  test('counts resumes and keeps what it has', () => {
    const view: StreamView = { ...withEvent(started, feedback([phone(0, 0, 90, 'final')]), 47), drops: 1 };
    const resumed = withEvent(view, { ...ready, resumed: true }, undefined);
    expect(resumed).toMatchObject({ state: 'reading', resumes: 1, words: view.words });
    expect(frameOf(<StreamScreen view={resumed} />)).toContain('socket lost 1 x, resumed 1 x');
  });

  test.each<[string, ServerEvent, number | undefined, string]>([
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

  test.each([
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
