import { formatMs } from '../../format.ts';
import type { PhonemeResult } from '../../protocol/result.ts';
import type { ServerEvent } from '../../protocol/server-messages.ts';
import { unread } from './score-table.ts';
import { gradeOf, gradeSymbols } from './stream-view.ts';

/** One event as one plain line: when it came, how long after its sound, and what it says. */
export function streamLine(event: ServerEvent, atMs: number, latencyMs: number | undefined): string {
  const latency = latencyMs === undefined ? '' : `+${formatMs(latencyMs)}`;
  return `${(atMs / 1000).toFixed(2).padStart(6)} s  ${latency.padEnd(9)} ${event.type.padEnd(17)} ${said(event)}`.trimEnd();
}

export type StreamTotals = {
  latenciesMs: readonly number[];
  drops: number;
  resumes: number;
  framesSent: number;
  framesResent: number;
  framesLost: number;
};

/** How a played recording went, in one or two lines. */
export function latencyLine(totals: StreamTotals): string {
  const { latenciesMs, drops, resumes, framesSent, framesResent, framesLost } = totals;
  const sorted = [...latenciesMs].sort((a, b) => a - b);
  const at = (p: number) => formatMs(sorted[Math.max(0, Math.ceil(p * sorted.length) - 1)] ?? Number.POSITIVE_INFINITY);
  const latency =
    sorted.length === 0
      ? 'no feedback came'
      : `${sorted.length} events, ${at(0.5)} after their sound at p50, ${at(0.95)} at p95, ${at(1)} at most`;
  const network = drops > 0 ? `\nsocket lost ${drops} x, resumed ${resumes} x, ${framesResent} frames sent again` : '';
  return `${latency}; ${framesSent} frames sent, ${framesLost} lost${network}`;
}

function said(event: ServerEvent): string {
  switch (event.type) {
    case 'ready': {
      const { name, version, provider } = event.model;
      const words = event.reference.words.length;
      return `session ${event.session_id}${event.resumed ? ' resumed' : ''}, model ${name} ${version} on ${provider}, ${words} words${writtenBy(event)}`;
    }
    case 'ack':
      return `frames before ${event.next_seq}`;
    case 'speech':
      return `${event.state} at ${(event.at_ms / 1000).toFixed(2)} s`;
    case 'transcript':
      return `${event.is_final ? 'final' : `stable ${Math.round(event.stability * 100)} %`}${by(event.backend)}: ${event.text}`;
    case 'phoneme_feedback':
      return event.phonemes.map(phoneText).join('  ');
    case 'utterance_final': {
      const { pronunciation, accuracy, fluency, completeness } = event.scores;
      const why = event.heard === 'text' ? '' : ` (${unread[event.heard]})`;
      return `${event.late ? 'late: ' : ''}pronunciation ${score(pronunciation)}, accuracy ${score(accuracy)}, fluency ${score(fluency)}, completeness ${score(completeness)}${why}`;
    }
    case 'backpressure':
      return `${event.level}, ${event.buffered_bytes} bytes wait`;
    case 'info':
    case 'error':
      return `${event.code}: ${event.message}`;
    case 'moving':
      return event.resume_at === null ? 'to another gateway' : `to ${event.resume_at}`;
    case 'go_away':
      return `within ${formatMs(event.deadline_ms)}${comeBack(event.retry_after_ms)}`;
  }
}

/** Says who writes the transcript, where a policy decides it. */
function writtenBy({ backend, scores_phones }: Extract<ServerEvent, { type: 'ready' }>): string {
  return `${backend === undefined ? '' : `, written by ${backend}`}${scores_phones === false ? ', no phones' : ''}`;
}

function by(backend: string | undefined): string {
  return backend === undefined ? '' : ` by ${backend}`;
}

function comeBack(afterMs: number | null): string {
  return afterMs === null ? '' : `; come back in ${formatMs(afterMs)}`;
}

/** `!R 41` wrong and final, `(AH 88)` good so far. */
function phoneText(phone: PhonemeResult): string {
  const text = `${gradeSymbols[gradeOf(phone)]}${phone.phoneme} ${score(phone.accuracy)}`;
  return phone.status === 'final' ? text : `(${text})`;
}

function score(value: number | null): string {
  return value === null ? '-' : value.toFixed(0);
}
