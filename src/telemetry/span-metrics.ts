import { Counter, type Registry } from 'prom-client';
import type { SpanCounts } from './tracing/tracing.ts';

/** Shows what became of spans: whoever looks for a trace must know that some were lost. */
export function exposeSpans(read: () => SpanCounts, registers: Registry[]): void {
  new Counter({
    name: 'speechfb_spans_total',
    help: 'Spans by what became of them: exported, failed (not taken), dropped (no room to wait).',
    labelNames: ['outcome'],
    registers,
    collect() {
      this.reset();
      for (const [outcome, count] of Object.entries(read())) this.inc({ outcome }, count);
    },
  });
}
