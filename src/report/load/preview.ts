import { formatMs, dollars as money, percentText, whole } from '../../format.ts';
import type { LoadPreview } from '../../load/scenario/preview.ts';
import { alignColumns } from '../terminal/columns.ts';
import { levelChart } from '../terminal/level-chart.ts';
import type { Paint } from '../terminal/paint.ts';
import { unprovableText } from './proof-text.ts';

/** The preview as a terminal shows it. */
export function loadPreviewText(preview: LoadPreview, paint: Paint): string {
  const { name, description, shard, durationMs, concurrency } = preview;
  const part = shard ? `, shard ${shard.index} of ${shard.count}` : '';
  const parts = [
    [`${paint.bold(name)}${part}: ${paint.good('valid')}`, ...(description ? [paint.dim(description)] : [])],
    alignColumns(metadataRows(preview), '<<'),
    [
      'learners over time',
      ...levelChart(
        concurrency,
        durationMs,
        preview.faults.map(({ atMs }) => atMs),
        paint,
      ),
    ],
    ...(preview.phases.length > 1
      ? [table(shard ? 'phases, of all shards together' : 'phases', phaseRows(preview), '<>>>')]
      : []),
    ...(preview.faults.length > 0 ? [table('faults', faultRows(preview), '>>>')] : []),
    [
      'objectives',
      ...alignColumns(
        preview.objectives.map((source) => objectiveRow(preview, source)),
        '<<',
      ).map((line) => `  ${line}`.trimEnd()),
    ],
    ...(preview.unprovable.length > 0
      ? [preview.unprovable.map((one) => `${paint.warn('warning')} ${unprovableText(one)}`)]
      : []),
  ];
  return `${parts.map((lines) => lines.join('\n')).join('\n\n')}\n`;
}

function metadataRows(preview: LoadPreview): string[][] {
  const { target, durationMs, warmupMs, drainMs, shard, sessions } = preview;
  const warmup = warmupMs > 0 ? `; what is due in the first ${formatMs(warmupMs)} is not measured` : '';
  return [
    ['target', target === 'embedded' ? 'a server of this version, started beside the test' : target],
    ['length', `${formatMs(durationMs)}, then up to ${formatMs(drainMs)} for the last finals${warmup}`],
    ['sessions', `${whole(sessions)}, at most ${whole(preview.peakSessions)} at once`],
    ['speech', speech(preview)],
    ...(preview.bill ? [['bill', billText(preview.bill)]] : []),
    ['frames', frames(preview)],
    ['networks', preview.networks.map((one) => networkText(one, sessions)).join(', ')],
    [
      'languages',
      preview.languages.map((one) => `${one.language} ${shareText(one, sessions)}, ${one.clips} clips`).join('; '),
    ],
    ['seed', String(preview.seed)],
    ['schedule', `${preview.planHash}${shard ? `, of which this shard has ${shard.planHash}` : ''}`],
  ];
}

function speech({ audioMinutes, utterances, brokenOff, durationMs }: LoadPreview): string {
  const speaking = (audioMinutes * 60_000) / durationMs;
  const broken = brokenOff > 0 ? `, ${whole(brokenOff)} of them broken off` : '';
  return `${audioMinutes.toFixed(1)} minutes of audio in ${whole(utterances)} utterances${broken}; ${speaking.toFixed(1)} people speak at once on average`;
}

function billText({ dollars, most }: NonNullable<LoadPreview['bill']>): string {
  return `${money(dollars)} for its sound${most === undefined ? '' : `, at most ${money(most)}`}`;
}

function frames({ frames: sent, framesHeldBack, frameMs, durationMs }: LoadPreview): string {
  const held = framesHeldBack > 0 ? `, ${whole(framesHeldBack)} more held back in silence` : '';
  return `${whole(sent)} of ${frameMs} ms, ${whole(Math.round(sent / (durationMs / 1000)))} a second on average${held}`;
}

function networkText({ network, transport, sessions }: LoadPreview['networks'][number], all: number): string {
  const via = transport === undefined ? '' : ` over ${transport}`;
  return `${network === 'none' ? 'not simulated' : `${network}${via}`} ${shareText({ sessions }, all)}`;
}

function shareText({ sessions }: { sessions: number }, all: number): string {
  return percentText(sessions / all);
}

function phaseRows({ phases }: LoadPreview): string[][] {
  return phases.map(({ name, beginMs, endMs, level }) => [name, time(beginMs), `to ${time(endMs)}`, level]);
}

/** With how many sessions prove it, if the schedule tells. */
function objectiveRow({ sessionNeeds }: LoadPreview, source: string): string[] {
  const need = sessionNeeds.find(({ objective }) => objective === source);
  if (!need) return [source, ''];
  const { sessions, least, most } = need;
  const takes =
    least === most
      ? `takes ${whole(most)} sessions`
      : `takes ${whole(least)} to ${whole(most)} sessions, as they differ`;
  return [source, `${takes}; has ${whole(sessions)}`];
}

function faultRows({ faults }: LoadPreview): string[][] {
  return faults.map(({ atMs, kind, forMs, learners }) => [
    time(atMs),
    `${kind}${forMs === undefined ? '' : ` for ${formatMs(forMs)}`}`,
    learners === undefined ? 'the server' : learners === 1 ? '1 learner' : `${whole(learners)} learners`,
  ]);
}

function table(title: string, rows: string[][], align: string): string[] {
  return [title, ...alignColumns(rows, align).map((line) => `  ${line}`)];
}

function time(ms: number): string {
  return ms === 0 ? '0' : formatMs(ms);
}
