import { formatMs, percent } from '../../format.ts';
import type { ProbeLine, ProbeSummary, ProbeWord } from '../../load/probe/reading.ts';
import { plainText, withoutMiddle } from '../../plain-text.ts';
import { fitTable } from '../terminal/fit-table.ts';
import type { Paint } from '../terminal/paint.ts';

/**
 * One message: when it came, what it was taken for, how far behind the voice, and as it came on a
 * line of its own. What was not understood is red, and says why.
 */
export function messageLines(message: ProbeLine, paint: Paint, columns = wide): string {
  const { atMs, is, says, coversMs, behindMs, raw } = message;
  const kind = is === 'not understood' ? 'NOT UNDERSTOOD' : is;
  const facts = [
    ...(coversMs === undefined ? [] : [`covers ${seconds(coversMs)}`]),
    ...(behindMs === undefined ? [] : [`(${formatMs(Math.max(0, behindMs))})`]),
  ].join('  ');
  const head = `<- ${seconds(atMs).padStart(8)}  ${kind.padEnd(8)} `;
  const room = columns - head.length - (facts === '' ? 0 : facts.length + 2);
  const text = says === '' ? '' : is === 'partial' || is === 'final' ? `"${plainText(says)}"` : plainText(says);
  const shown = withoutMiddle(text, Math.max(10, room));
  const line = `${head}${facts === '' ? shown : `${shown}${shown === '' ? '' : '  '}${facts}`}`.trimEnd();
  const paintOf = is === 'not understood' || is === 'error' ? paint.bad : is === 'final' ? paint.good : undefined;
  const own = withoutEnd(rawText(raw), columns - indent.length);
  return `${paintOf ? paintOf(line) : line}\n${paint.dim(`${indent}${own}`)}\n`;
}

/** What the messages came to: what can be measured, each word, and the errors. */
export function probeSummaryText(summary: ProbeSummary, paint: Paint, columns?: number): string {
  const { counts, words, wordLatency, firstPartialMs, finalLatencyMs, wer } = summary;
  const untold = summary.unmeasurable.filter(({ metric }) => !ours.includes(metric));
  const heard = Object.entries(counts).map(([is, count]) =>
    is === 'not understood' ? paint.bad(`${count} not understood`) : `${count} ${is}`,
  );
  const latency = [
    ...(words.length > 0 && !words.some(({ firstMs }) => Number.isFinite(firstMs))
      ? [paint.bad('no word of the text was shown')]
      : []),
    ...(wordLatency && Number.isFinite(Math.min(...words.map(({ firstMs }) => firstMs)))
      ? [`words p50 ${formatMs(wordLatency.p50Ms)}, at most ${formatMs(wordLatency.maxMs)}`]
      : []),
    ...(firstPartialMs === undefined ? [] : [`first text ${formatMs(firstPartialMs)} after speech begins`]),
    finalLatencyMs === undefined ? paint.bad('no final came') : `final ${formatMs(finalLatencyMs)} after the sound`,
  ];
  const lines = [
    `heard       ${heard.length === 0 ? paint.bad('nothing at all') : heard.join(', ')}`,
    `latency     ${latency.join('; ')}`,
    ...(wer
      ? [`wer         ${percent(wer.wrong / Math.max(1, wer.spoken))}: ${wer.wrong} of ${wer.spoken} words wrong`]
      : []),
    `measurable  ${summary.measurable.filter((name) => !everywhere.includes(name)).join(', ')}`,
    ...[...new Set(untold.map(({ why }) => why))].map((why) => `not         ${why}`),
  ];
  const isShown = words.some(({ firstMs }) => Number.isFinite(firstMs));
  return `\n${isShown ? `${wordTable(words, columns)}\n\n` : ''}${lines.join('\n')}\n`;
}

function wordTable(words: readonly ProbeWord[], columns: number | undefined): string {
  const after = (ms: number, endMs: number | undefined) =>
    !Number.isFinite(ms) ? 'never' : endMs === undefined ? '' : formatMs(Math.max(0, ms - endMs));
  const at = (ms: number | undefined) => (ms === undefined ? '' : Number.isFinite(ms) ? seconds(ms) : 'never');
  const shown = words.slice(0, mostWords);
  const rows = shown.map(({ text, endMs, firstMs, finalMs }) => [
    plainText(text, 24),
    at(endMs),
    at(firstMs),
    after(firstMs, endMs),
    after(finalMs, endMs),
  ]);
  const more = words.length > shown.length ? `\nand ${words.length - shown.length} more words` : '';
  return `${fitTable(['word', 'ends', 'shown', 'behind', 'for good'], rows, { columns, spare: ['shown'] })}${more}`;
}

function rawText(raw: string | Uint8Array): string {
  if (typeof raw === 'string') return plainText(raw);
  return `${raw.length} bytes: ${Buffer.from(raw.subarray(0, 16)).toString('hex')}`;
}

/** The beginning of a message tells what it is. */
function withoutEnd(text: string, columns: number): string {
  return text.length > columns ? `${text.slice(0, columns - 1)}…` : text;
}

function seconds(ms: number): string {
  // Nobody reads -0.00 as a time.
  return `${(ms / 1000).toFixed(2).replace(/^-(0\.00)$/, '$1')} s`;
}

/** Where no terminal says how wide it is. */
const wide = 400;
const indent = '            ';
const mostWords = 40;
/** Measured of servers of speechfb.v1 alone; nobody expects them elsewhere. */
const ours: readonly string[] = [
  'phoneme_latency',
  'phoneme_final_latency',
  'revision_rate',
  'resume_time',
  'lost_frames',
  'resent_frames',
  'lost_by_network',
  'sessions_sent_away',
  'violations',
  'transcripts_moved',
  'transcripts_lost',
  'late_finals',
];
/** Measured of whatever answers at all; a reader knows. */
const everywhere: readonly string[] = [
  'connect_time',
  'refusal_time',
  'send_lateness',
  'shaping_lateness',
  'session_success',
  'dropped_by_app',
  'lost_by_app',
  'sessions_refused',
  'refusals',
  'sessions_died',
  'cost_per_audio_minute',
];
