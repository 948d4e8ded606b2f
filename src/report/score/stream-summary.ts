import { formatMs } from '../../units.ts';

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
