import { formatMs, lengthText, percent } from '../../format.ts';
import { type ConnectSummary, type DirectionSummary, type FlowSummary, sortedMs } from '../../sim/flow-summary.ts';
import type { NetworkProfile } from '../../sim/profile/profile.ts';
import { drainUs, type FlowResult } from '../../sim/run-flow.ts';
import { alignColumns } from '../terminal/columns.ts';
import { fitColumns } from '../terminal/fit-table.ts';
import type { Paint } from '../terminal/paint.ts';
import { renderPercentilePlot } from '../terminal/percentile-plot.ts';
import { labelWidth, renderTimePlot } from '../terminal/time-plot.ts';
import { eventWords, lossWords, pathWords, rateWords, transportWords } from './network-words.ts';

export type NetsimText = {
  summary: FlowSummary;
  network: NetworkProfile;
  /** Width of the terminal; undefined for a pipe. */
  columns?: number | undefined;
  /** Undefined: no plots. */
  plot: { result: FlowResult; columns: number } | undefined;
};

/** A simulated run for a reader: the network in words, a table, plots, and what to beware of. */
export function renderNetsim({ summary, network, columns, plot }: NetsimText, paint: Paint): string {
  const sections = [
    describe(summary, network, paint),
    table(summary, columns, paint),
    ...(plot && summary.up.frames > 0 ? plots(summary, plot.result, plot.columns, paint) : []),
    remarks(summary, network, paint),
  ];
  return `${sections
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n')}\n`;
}

/** Networks as a table: figures of each direction, and where they come from. */
export function renderNetworks(networks: readonly NetworkProfile[], paint: Paint): string {
  const heads = ['network', 'delay up', 'down', 'rate up', 'down', 'loss', 'source'];
  const rows = networks.map(({ name, source, up, down }) => [
    paint.bold(name),
    lengthText(up.delayUs / 1000),
    lengthText(down.delayUs / 1000),
    rateWords(up.rateBitsPerSecond),
    rateWords(down.rateBitsPerSecond),
    up.loss.model === 'gilbert-elliott' ? 'in bursts' : lossWords(up.loss).replace(' lost', '').replace('no loss', '-'),
    paint.dim(source),
  ]);
  return `${alignColumns([heads.map(paint.dim), ...rows], '<>>>>><').join('\n')}\n`;
}

function describe(summary: FlowSummary, network: NetworkProfile, paint: Paint): string[] {
  const { clients, duration_ms, warmup_ms, seed, traffic } = summary;
  const phones = clients === 1 ? 'one phone' : `${clients} phones`;
  const down = traffic === 'echo' ? '644 B a frame' : '62 B each 500 ms';
  return [
    `${paint.bold(summary.profile)}  ${network.source}`,
    ...alignColumns(
      [
        ['  up', pathWords(network.up)],
        ['  down', pathWords(network.down)],
        ['  over', transportWords(network)],
        ...network.events.map((event) => ['  event', eventWords(event)]),
        [
          '  run',
          `${phones} for ${seconds(duration_ms)} (the first ${seconds(warmup_ms)} not counted), seed ${seed}; up 648 B each 20 ms, down ${down}`,
        ],
      ],
      '<<',
    ),
  ];
}

function table({ up, down, connect_ms, hash }: FlowSummary, columns: number | undefined, paint: Paint): string[] {
  const heads = ['', 'frames', 'mean', 'p50', 'p95', 'p99', 'p99.9', 'max', '> 400 ms', '> 1 s', 'sent again', 'RTOs'];
  const spare = ['mean', 'RTOs', 'max', 'sent again', 'frames'];
  const [head = '', ...rows] = fitColumns(heads, [row('up', up, paint), row('down', down, paint)], {
    columns,
    spare,
  }).split('\n');
  return [
    paint.dim(head),
    ...rows,
    '',
    ...alignColumns(
      [
        ['connect', connectWords(connect_ms)],
        ['schedule', hash],
      ],
      '<<',
    ),
  ];
}

function row(name: string, one: DirectionSummary, paint: Paint): string[] {
  const written = one.frames + one.undelivered + one.lost;
  const times = [one.mean_ms, one.p50_ms, one.p95_ms, one.p99_ms, one.p999_ms, one.max_ms];
  return [
    name,
    String(one.frames),
    ...times.map((time) => {
      const ms = time ?? Number.POSITIVE_INFINITY;
      return written === 0 ? '-' : paintOf(ms, paint)(formatMs(ms));
    }),
    share(one.over_400ms, paint.warn),
    share(one.over_1s, paint.bad),
    String(one.retransmissions),
    String(one.timeouts),
  ];
}

function plots(summary: FlowSummary, result: FlowResult, columns: number, paint: Paint): string[][] {
  const width = Math.max(40, Math.min(100, columns) - labelWidth - 3);
  const stretch = seconds(Number(((summary.duration_ms - summary.warmup_ms) / width).toPrecision(2)));
  const missing = summary.up.undelivered + summary.up.lost > 0 ? ' that arrived' : '';
  const series = (['up', 'down'] as const).map((name) => ({
    name,
    sortedMs: sortedMs(result[name]),
    dotted: name === 'down',
  }));
  return [
    renderTimePlot(
      {
        title: `worst frame${missing} of each ${stretch}, ${paint.bold('up')}`,
        atMs: result.up.sentUs.map((us) => us / 1000 - summary.warmup_ms),
        latencyMs: result.up.latenciesUs.map((us) => us / 1000),
        durationMs: summary.duration_ms - summary.warmup_ms,
        columns: width,
      },
      paint,
    ),
    [
      `share of frames that are faster: ${paint.good('⠤⠤ up')}, ${paint.warn('⠄⠄ down')}`,
      ...renderPercentilePlot(series, width, paint),
    ],
  ];
}

function remarks(summary: FlowSummary, network: NetworkProfile, paint: Paint): string[] {
  const { up, down, connect_ms } = summary;
  const lines: string[] = [];
  if (connect_ms.opened < connect_ms.attempted) {
    const count = connect_ms.attempted - connect_ms.opened;
    const which = connect_ms.attempted === 1 ? 'the connection' : `${count} of ${connect_ms.attempted} connections`;
    lines.push(`${paint.bad('never open')}  ${which} did not open in this time`);
  }
  for (const event of network.events) {
    if ('atUs' in event.when && event.when.atUs >= summary.duration_ms * 1000)
      lines.push(
        `${paint.warn('not played')}  ${eventWords(event)}: this run ends at ${lengthText(summary.duration_ms)}`,
      );
  }
  if (up.frames === 0) lines.push(`${paint.bad('no frames')}  nothing was delivered: this run proves nothing`);
  for (const [name, one] of Object.entries({ up, down })) {
    const which =
      summary.clients === 1
        ? 'the connection does not'
        : `${one.saturated_clients} of ${summary.clients} connections ${one.saturated_clients === 1 ? 'does' : 'do'} not`;
    if (one.saturated && one.frames > 0)
      lines.push(`${paint.bad('saturated')}  ${name}: ${which} carry what is offered`);
    if (one.undelivered > 0)
      lines.push(
        `${paint.bad('undelivered')}  ${name}: ${one.undelivered} of ${one.frames + one.undelivered + one.lost} frames had not arrived ${lengthText(drainUs / 1000)} after the end; they count as later than any limit`,
      );
    if (one.lost > 0)
      lines.push(
        `${paint.warn('lost')}  ${name}: ${one.lost} of ${one.frames + one.undelivered + one.lost} datagrams never arrived; they count as later than any limit`,
      );
  }
  const frozen = [network.up, network.down].some(
    ({ loss }) => loss.model === 'gilbert-elliott' && loss.clock === 'packet',
  );
  if (frozen && up.timeouts + down.timeouts > 0)
    lines.push(
      `${paint.dim('gemodel')}  its bad state stands still while TCP waits for its timer, so stalls outlast a radio's; clock: time does not`,
    );
  if (summary.modelled)
    lines.push(
      `${paint.dim('modelled')}  QUIC follows its RFCs here; it was held against two real ones (docs/quic.md)`,
    );
  return lines;
}

function seconds(ms: number): string {
  return lengthText(ms);
}

function connectWords({ attempted, opened, p50, p95, max }: ConnectSummary): string {
  if (opened === 0) return 'never';
  if (attempted === 1) return formatMs(max!);
  const [middle, slow, slowest] = [p50, p95, max].map((ms) => formatMs(ms ?? Number.POSITIVE_INFINITY));
  return `${opened} of ${attempted}: p50 ${middle}, p95 ${slow}, max ${slowest}`;
}

function share(value: number | null, paint: (text: string) => string): string {
  if (value === null) return '-';
  return value === 0 ? '0 %' : paint(percent(value));
}

function paintOf(ms: number, paint: Paint): (text: string) => string {
  return ms > 1000 ? paint.bad : ms > 400 ? paint.warn : (text) => text;
}
