import { type EncodedHistogram, LatencyHistogram } from './histogram.ts';

/** What is counted of a backend. */
export const backendCounts = ['sessions', 'withoutPhones', 'finals', 'moved', 'lost'] as const;

type BackendCount = (typeof backendCounts)[number];

/** What one backend did, in a form that crosses a thread and adds up with others'. */
export type EncodedBackend = {
  name: string;
  counts: Readonly<Record<BackendCount, number>>;
  /** From the end of an utterance to its final, ms; absent: none was due while it was measured. */
  finalLatency?: EncodedHistogram;
};

/**
 * What a load test saw of one backend of a server that says which of them writes a transcript: the
 * sessions that began there (`withoutPhones`: that it heard alone), the finals whose text it wrote,
 * and how often another had to go on (`moved`) or nobody did (`lost`).
 */
export class BackendRecord implements Disposable {
  readonly name: string;
  readonly counts: Record<BackendCount, number> = { sessions: 0, withoutPhones: 0, finals: 0, moved: 0, lost: 0 };
  readonly finalLatency = new LatencyHistogram();

  constructor(name: string) {
    this.name = name;
  }

  encode(): EncodedBackend {
    const { name, counts, finalLatency } = this;
    return { name, counts: { ...counts }, ...(finalLatency.samples > 0 && { finalLatency: finalLatency.encode() }) };
  }

  /** Adds what another record of it encoded; exact. */
  add({ counts, finalLatency }: EncodedBackend): void {
    for (const count of backendCounts) this.counts[count] += counts[count];
    if (!finalLatency) return;
    using decoded = new LatencyHistogram(finalLatency);
    this.finalLatency.add(decoded);
  }

  [Symbol.dispose](): void {
    this.finalLatency[Symbol.dispose]();
  }
}
