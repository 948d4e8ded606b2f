import { readdirSync, readFileSync } from 'node:fs';

/** CPU seconds and resident memory of a process and all that it started; Linux only. */
export class ProcessTree {
  readonly #root: number;
  /** By process, as last seen: what has ended keeps what it had used. */
  readonly #cpuSeconds = new Map<number, number>();
  #peakBytes = 0;

  constructor(root: number) {
    this.#root = root;
  }

  get cpuSeconds(): number {
    return [...this.#cpuSeconds.values()].reduce((sum, seconds) => sum + seconds, 0);
  }

  /** Of all its processes together. */
  get peakBytes(): number {
    return this.#peakBytes;
  }

  look(): void {
    const stats = readdirSync('/proc').flatMap((name) => (/^\d+$/.test(name) ? statOf(Number(name)) : []));
    const mine = new Set([this.#root]);
    for (let grown = true; grown; ) {
      const more = stats.filter(({ pid, parent }) => mine.has(parent) && !mine.has(pid));
      for (const { pid } of more) mine.add(pid);
      grown = more.length > 0;
    }
    let bytes = 0;
    for (const stat of stats) {
      if (!mine.has(stat.pid)) continue;
      this.#cpuSeconds.set(stat.pid, stat.cpuSeconds);
      bytes += stat.bytes;
    }
    this.#peakBytes = Math.max(this.#peakBytes, bytes);
  }
}

type Stat = { pid: number; parent: number; cpuSeconds: number; bytes: number };

function statOf(pid: number): Stat[] {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ').map(Number);
    return [
      { pid, parent: fields[1]!, cpuSeconds: (fields[11]! + fields[12]!) / ticks, bytes: fields[21]! * pageBytes },
    ];
  } catch {
    return [];
  }
}

/** Linux tells times in hundredths of a second, whatever the kernel's own clock, and memory in pages. */
const ticks = 100;
const pageBytes = 4096;
