import { formatMs } from '../../format.ts';
import type { DatagramSummary, DatagramTraffic } from '../../proxy/datagram-meter.ts';
import { alignColumns } from '../terminal/columns.ts';
import { kbit } from './proxy-text.ts';

/** What passed since the line before. */
type DatagramSecond = {
  elapsedMs: number;
  /** How long "since the line before" was. */
  spanMs: number;
  open: number;
  up: DatagramTraffic;
  down: DatagramTraffic;
};

/**
 * `12 s  2 clients  up 281 kbit/s, 1 of 50 lost, p50 35.5 ms worst 120 ms  down nothing`; undefined
 * when nobody says anything.
 */
export function datagramLine({ elapsedMs, spanMs, open, up, down }: DatagramSecond): string | undefined {
  if (up.datagrams + down.datagrams + up.passed + down.passed === 0) return undefined;
  const clients = open === 1 ? '1 client' : `${open} clients`;
  return `${Math.round(elapsedMs / 1000)} s  ${clients}  up ${sideWords(up, spanMs)}  down ${sideWords(down, spanMs)}`;
}

/** What went through the proxy, for a reader. */
export function renderDatagramSummary(summary: DatagramSummary): string {
  const { clients, lateness } = summary;
  const heads = ['', 'bytes', 'datagrams', 'passed on', 'lost', 'queue full', 'no room', 'p50', 'p95', 'p99', 'max'];
  const row = (name: string, one: DatagramTraffic) => [
    name,
    ...[one.bytes, one.datagrams, one.passed, one.lost, one.queue_drops, one.overflow].map(String),
    ...[one.p50_ms, one.p95_ms, one.p99_ms, one.max_ms].map(time),
  ];
  const others = [
    ...(clients.moved > 0 ? [`${clients.moved} changes of address`] : []),
    ...(clients.refused > 0 ? [`${clients.refused} datagrams of clients for whom there was no place`] : []),
    ...(clients.unreachable > 0 ? [`the upstream could not be reached ${clients.unreachable} times`] : []),
  ];
  const lines = [
    `${[`${summary.profile} for ${formatMs(summary.elapsed_ms)}: ${clients.seen} clients, ${clients.idle} of them fell silent`, ...others].join(', ')}`,
    '',
    ...alignColumns([heads, row('up', summary.up), row('down', summary.down)], '<>>>>>>>>>>'),
    '',
    `sockets were written to ${time(lateness.p50_ms)} (p50), ${time(lateness.p99_ms)} (p99), ${time(lateness.max_ms)} (worst) after the model's times`,
  ];
  return `${lines.join('\n')}\n`;
}

function sideWords(one: DatagramTraffic, spanMs: number): string {
  if (one.datagrams + one.passed === 0) return 'nothing';
  const dropped = one.lost + one.queue_drops + one.overflow;
  const latency = one.p50_ms === null ? '' : `, p50 ${formatMs(one.p50_ms)} worst ${formatMs(one.max_ms!)}`;
  return `${kbit(one.bytes, spanMs)}, ${dropped} of ${one.datagrams} lost${latency}`;
}

function time(ms: number | null): string {
  return ms === null ? '-' : formatMs(ms);
}
