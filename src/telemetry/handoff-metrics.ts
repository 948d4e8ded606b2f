import { Counter, type Registry } from 'prom-client';

/** Utterances that wait for something, and what became of the others, by outcome. */
type WaitingFigures = { waiting: number; waitingBytes: number; outcomes: Readonly<Record<string, number>> };

/** Results that are kept in memory, by their sessions, and sessions that made room for others. */
type ResultFigures = { sessions: number; bytes: number; dropped: number };

/**
 * What was handed over to be scored later; `scoring`: in this process, `results`: what this process
 * keeps of it.
 */
export type HandoffFigures = WaitingFigures & {
  scoring?: WaitingFigures | undefined;
  results?: ResultFigures | undefined;
};

type ExposeGauge = (name: string, help: string, read: () => number | undefined) => void;

/** Shows what waits to be handed over and to be scored later, and what became of the rest. */
export function exposeHandoff(read: () => HandoffFigures, gauge: ExposeGauge, registers: Registry[]): void {
  const kinds = [
    ['handoff', 'to be handed over', 'that could not be finished live', read],
    ['late', 'to be scored later here', 'that were handed over here', () => read().scoring],
  ] as const;
  for (const [name, waits, which, figures] of kinds) {
    if (!figures()) continue;
    gauge(`${name}_waiting`, `Utterances that wait ${waits}.`, () => figures()?.waiting);
    gauge(`${name}_waiting_bytes`, `Bytes of the utterances that wait ${waits}.`, () => figures()?.waitingBytes);
    new Counter({
      name: `speechfb_${name}_utterances_total`,
      help: `Utterances ${which}, by what became of them.`,
      labelNames: ['outcome'],
      registers,
      collect() {
        this.reset();
        for (const [outcome, count] of Object.entries(figures()?.outcomes ?? {})) this.inc({ outcome }, count);
      },
    });
  }
  if (read().results) exposeResults(() => read().results, gauge, registers);
}

function exposeResults(read: () => ResultFigures | undefined, gauge: ExposeGauge, registers: Registry[]): void {
  gauge('late_results_sessions', 'Sessions whose late results are kept in memory.', () => read()?.sessions);
  gauge('late_results_bytes', 'Bytes of the late results that are kept in memory.', () => read()?.bytes);
  new Counter({
    name: 'speechfb_late_results_dropped_total',
    help: 'Sessions whose late results were dropped before their time, since too much was kept.',
    registers,
    collect() {
      this.reset();
      this.inc(read()?.dropped ?? 0);
    },
  });
}
