import { defaultLimits } from '../../../src/server/limits.ts';
import type { CoresUsed } from '../../../src/server/overload/lost-cores.ts';
import { OverloadControl } from '../../../src/server/overload/overload-control.ts';

export type SimulatedLimits = Partial<Record<keyof typeof defaultLimits, number>>;

/**
 * A server in virtual time with one queue: all sound that its sessions bring waits in the order in which it came, and is
 * scored as fast as `capacity` sessions bring it. Whoever is let in stays until it is sent away; its sound until then is
 * scored behind that of those who stay, or five seconds later than theirs.
 */
export class SimulatedServer {
  readonly control: OverloadControl;
  /** Sessions that it carries, as it changes. */
  capacity: (atMs: number) => number;
  sessions = 0;
  refused = 0;
  sent = 0;
  /** Sessions whose sound waited longer than any server lets it. */
  died = 0;
  nowMs = 0;
  delays: Delay[] = [];
  levels = new Set<number>();
  history: { atMs: number; sessions: number; limit: number; level: number; delayMs: number }[] = [];
  readonly #queue: Sound[] = [];
  /** Of those who were sent away. */
  readonly #leaving: Sound[] = [];
  readonly #speaks: number;
  #scoredMs = 0;

  /** Cores that it may use, as it changes. */
  cores: (atMs: number) => number = () => 2;
  /** What it and others use of them once it is full, as it changes. */
  used: (atMs: number) => CoresUsed | undefined = () => undefined;

  /** @param speaks share of the time that each session brings sound */
  constructor(capacity: number | ((atMs: number) => number), limits: SimulatedLimits = {}, speaks = 1) {
    this.capacity = typeof capacity === 'number' ? () => capacity : capacity;
    this.control = new OverloadControl({ ...defaultLimits, ...limits } as typeof defaultLimits, 2);
    this.#speaks = speaks;
  }

  /** @param offered how many are there or at the door */
  run(untilMs: number, offered: (atMs: number) => number): void {
    for (; this.nowMs < untilMs; this.nowMs += tickMs) this.#step(Math.round(offered(this.nowMs)));
  }

  /** Of those who stay, or of all. */
  worst(fromMs: number, untilMs: number, of: 'all' | 'staying' = 'staying'): number {
    const those = (delay: Delay) => delay.atMs >= fromMs && delay.atMs < untilMs && (of === 'all' || delay.stays);
    return Math.max(0, ...this.delays.filter(those).map(({ ms }) => ms));
  }

  /** The quantile of what everybody felt in that time. */
  felt(quantile: number, fromMs: number, untilMs: number): number {
    const all = this.delays.filter(({ atMs }) => atMs >= fromMs && atMs < untilMs).sort((a, b) => a.ms - b.ms);
    const total = all.reduce((sum, { count }) => sum + count, 0);
    let below = 0;
    for (const { ms, count } of all) {
      below += count;
      if (below >= total * quantile) return ms;
    }
    return 0;
  }

  #step(offered: number): void {
    this.sessions = Math.min(this.sessions, offered);
    // Those at the door ask once a second each.
    const asking = (offered - this.sessions) * (tickMs / 1000);
    for (let i = 0; i < asking; i++) {
      if (i + this.#chance() > asking) break;
      if (this.#mayStart()) this.sessions += 1;
      else this.refused += 1;
    }
    this.#queue.push({ atMs: this.nowMs, soundMs: this.sessions * this.#speaks * tickMs });
    const speed = this.capacity(this.nowMs) / spared[this.control.level]!;
    const use = speed > 0 ? Math.min(1, (this.sessions * this.#speaks) / speed) : 1;
    const delayMs = this.#score(speed * tickMs, baseMs / Math.max(0.05, 1 - Math.min(use, 0.95)));
    const streaming = () => this.sessions;
    const cores = () => this.cores(this.nowMs);
    const used = () => this.used(this.nowMs);
    const idle = () => (used() ? 1 - use : undefined);
    const load = { sessions: this.sessions, streaming, utilisation: () => use, cores, idle, used };
    this.control.tick(this.nowMs, tickMs, load);
    this.levels.add(this.control.level);
    const { live: shed } = this.control.takeShed(this.nowMs, () => ({ live: this.sessions, batch: 0 }));
    if (shed > 0) this.#giveWay(shed / this.sessions);
    this.sessions -= shed;
    this.sent += shed;
    const { sessionLimit: limit, level } = this.control;
    if (this.nowMs % 250 === 0) this.history.push({ atMs: this.nowMs, sessions: this.sessions, limit, level, delayMs });
  }

  /** Scores the oldest sound, as much as it can now; the delay of the last of it. */
  #score(mostMs: number, baseMs: number): number {
    let left = mostMs;
    let delayMs = 0;
    while (left > 0 && this.#queue.length + this.#leaving.length > 0) {
      const from = this.#next();
      const first = from[0]!;
      const ms = Math.min(left, first.soundMs);
      left -= ms;
      first.soundMs -= ms;
      const waitedMs = baseMs + this.nowMs - first.atMs;
      if (waitedMs > longestMs) this.died += 1;
      if (from === this.#queue) delayMs = waitedMs;
      this.#tell(ms, waitedMs, from === this.#queue);
      if (first.soundMs <= 0) from.shift();
    }
    return delayMs;
  }

  #next(): Sound[] {
    const [stays, leaves] = [this.#queue[0], this.#leaving[0]];
    if (!stays || !leaves) return stays ? this.#queue : this.#leaving;
    return leaves.atMs + canWaitMs < stays.atMs ? this.#leaving : this.#queue;
  }

  /** Such a share of what waits is that of sessions that go. */
  #giveWay(share: number): void {
    for (const sound of this.#queue) {
      this.#leaving.push({ atMs: sound.atMs, soundMs: sound.soundMs * share });
      sound.soundMs *= 1 - share;
    }
    this.#leaving.sort((a, b) => a.atMs - b.atMs);
  }

  /** A result each tenth of a second of sound. */
  #tell(ms: number, delayMs: number, stays: boolean): void {
    this.control.scored(this.nowMs, ms);
    this.#scoredMs += ms;
    const count = Math.floor(this.#scoredMs / resultMs);
    this.#scoredMs -= count * resultMs;
    if (stays) for (let i = 0; i < count; i++) this.control.felt(this.nowMs, delayMs);
    if (count > 0) this.delays.push({ atMs: this.nowMs, ms: delayMs, count, stays });
  }

  #mayStart(): boolean {
    return this.sessions < this.control.sessionLimit && this.control.lateness(this.sessions, 'live') === undefined;
  }

  #seed = 1;
  #chance(): number {
    this.#seed = (this.#seed * 48_271) % 0x7fff_ffff;
    return this.#seed / 0x7fff_ffff;
  }
}

type Delay = { atMs: number; ms: number; count: number; stays: boolean };
type Sound = { atMs: number; soundMs: number };

const tickMs = 20;
/** So much later is what those bring who were sent away. */
const canWaitMs = 5000;
const resultMs = 100;
const baseMs = 5;
/** The time that a model may take, beyond which a session dies. */
const longestMs = defaultLimits.inferenceTimeoutMs;
/** What is left of a session's work at each step: most of it is the model's and stays. */
const spared = [1, 0.92, 0.88, 0.85, 0.82, 0.82];
