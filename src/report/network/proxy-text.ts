import { formatMs } from '../../format.ts';
import type { DirectionTraffic, ProxySummary } from '../../proxy/meter.ts';
import { alignColumns } from '../terminal/columns.ts';

/** What passed since the line before. */
export type ProxySecond = {
  elapsedMs: number;
  /** How long "since the line before" was. */
  spanMs: number;
  open: number;
  up: DirectionTraffic;
  down: DirectionTraffic;
  retransmissions: number;
};

/**
 * `12 s 2 open up 281 kbit/s p50 35.5 ms worst 120 ms down 1.0 kbit/s p50 35.2 ms worst 35.2 ms 4
 * sent again`; undefined when nobody is there.
 */
export function proxyLine({ elapsedMs, spanMs, open, up, down, retransmissions }: ProxySecond): string | undefined {
  if (open === 0 && up.pieces + down.pieces === 0) return undefined;
  const side = (name: string, { bytes, p50_ms, max_ms }: DirectionTraffic) =>
    p50_ms === null
      ? `${name} nothing`
      : `${name} ${kbit(bytes, spanMs)} p50 ${formatMs(p50_ms)} worst ${formatMs(max_ms!)}`;
  return `${Math.round(elapsedMs / 1000)} s  ${open} open  ${side('up', up)}  ${side('down', down)}  ${retransmissions} sent again`;
}

/** What went through the proxy, for a reader. */
export function renderProxySummary(summary: ProxySummary): string {
  const { connections, lateness } = summary;
  const heads = ['', 'bytes', 'pieces', 'p50', 'p95', 'p99', 'max', 'sent again', 'RTOs'];
  const row = (name: string, one: ProxySummary['up']) => [
    name,
    String(one.bytes),
    String(one.pieces),
    ...[one.p50_ms, one.p95_ms, one.p99_ms, one.max_ms].map(time),
    String(one.retransmissions),
    String(one.timeouts),
  ];
  const lines = [
    `${summary.profile} for ${formatMs(summary.elapsed_ms)}: ${connections.accepted} connections, ${connections.died} died on the way, ${connections.unreachable} found no upstream`,
    '',
    ...alignColumns([heads, row('up', summary.up), row('down', summary.down)], '<>>>>>>>>'),
    '',
    `sockets were written to ${time(lateness.p50_ms)} (p50), ${time(lateness.p99_ms)} (p99), ${time(lateness.max_ms)} (worst) after the model's times`,
  ];
  return `${lines.join('\n')}\n`;
}

/** How much passed in that time. */
export function kbit(bytes: number, overMs: number): string {
  return `${Number(((bytes * 8) / overMs).toPrecision(3))} kbit/s`;
}

function time(ms: number | null): string {
  return ms === null ? '-' : formatMs(ms);
}
