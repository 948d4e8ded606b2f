import { readFileSync, writeFileSync } from 'node:fs';

/** The most of each kind of memory since the last `begin`, MiB. */
export type MemorySeen = { residentMib: number; peakMib: number; heapMib: number; externalMib: number };

/** What a server holds by the kernel's word and by its own metrics; Linux only. */
export class MemoryLook {
  readonly #pid: number;
  readonly #metricsUrl: string;
  #most = nothing;

  constructor(pid: number, metricsUrl: string) {
    this.#pid = pid;
    this.#metricsUrl = metricsUrl;
  }

  /** Forgets what was, the kernel's high-water mark too. */
  begin(): void {
    this.#most = nothing;
    writeFileSync(`/proc/${this.#pid}/clear_refs`, '5');
  }

  async look(): Promise<void> {
    const text = await (await fetch(this.#metricsUrl)).text();
    const bytes = (name: string) => Number(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)`, 'm').exec(text)?.[1] ?? 0);
    this.#most = {
      residentMib: Math.max(this.#most.residentMib, this.#kernel('VmRSS')),
      heapMib: Math.max(this.#most.heapMib, bytes('nodejs_heap_size_total_bytes') / mebibyte),
      externalMib: Math.max(this.#most.externalMib, bytes('nodejs_external_memory_bytes') / mebibyte),
    };
  }

  seen(): MemorySeen {
    return { ...this.#most, peakMib: this.#kernel('VmHWM') };
  }

  #kernel(field: 'VmRSS' | 'VmHWM'): number {
    const status = readFileSync(`/proc/${this.#pid}/status`, 'utf8');
    return Number(new RegExp(`${field}:\\s+(\\d+) kB`).exec(status)![1]) / 1024;
  }
}

const mebibyte = 1_048_576;
const nothing = { residentMib: 0, heapMib: 0, externalMib: 0 };
