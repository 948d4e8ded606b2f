import { StoreError } from '../session-store.ts';
import { clientOf, hasNode, keyAtEach, letGo, nodeOf, type RedisClient } from './redis-client.ts';
import { lookAt } from './redis-look.ts';
import type { RedisAddress, RedisPlace } from './redis-place.ts';
import { loadingTrouble, type RedisTrouble, troubleOf, troubleSeen, unknownTrouble } from './redis-trouble.ts';
import { keysOf, probeBeside, type ScriptName } from './scripts.ts';
import { StorePart } from './store-part.ts';

export type RedisLinkOptions = {
  place: RedisPlace;
  /** How long an answer may take, ms. */
  answerMs?: number;
  /** The region whose keys it may write. */
  region?: string | undefined;
  /**
   * Redis has stopped answering, or was not there from the beginning: all of it, or one node of a
   * cluster. Called again when it begins to say why.
   */
  onDown?(trouble: RedisTrouble, node: string | undefined): void;
  /** It does what it is asked again; once for each time that it stopped. */
  onBack?(node: string | undefined): void;
  /** It refused one call, and does others. */
  onRefused?(trouble: RedisTrouble): void;
};

/**
 * What leads to a Redis, or to the nodes of a cluster, that may stand still, be slow, go away or
 * come back as another: a call is answered in time or fails, and while who it is for is known to be
 * away it fails at once. Nothing is queued, nothing is sent twice.
 */
export class RedisLink {
  readonly #options: RedisLinkOptions;
  readonly #answerMs: number;
  readonly #client: RedisClient;
  readonly #listeners: (() => void)[] = [];
  readonly #all: StorePart;
  /** Nodes of a cluster that were away once, each with a key that it had. */
  readonly #nodes = new Map<string, { part: StorePart; key: string }>();
  /** What the clock of a Redis said when, so that a step can say until when it is wanted. */
  readonly #heard = new Map<string | undefined, { redisMs: number; atMs: number }>();
  /** What was wrong with a connection that Redis keeps all the same. */
  #flaw: RedisTrouble | undefined;
  /** Why sentinels have not said where the master is, since all of them were asked last. */
  #sentinel: RedisTrouble | undefined;
  /** Where the master is, by the last sentinel that said so. */
  #master: RedisAddress | undefined;
  /** What has become of the connection that there is, or that is being made. */
  #connection: 'begun' | 'failed' | 'ready' = 'begun';
  /** Whether the place was looked at since there was a connection, or is being looked at. */
  #look: 'none' | 'going on' | 'done' = 'none';
  #loading: NodeJS.Timeout | undefined;

  constructor(options: RedisLinkOptions) {
    this.#options = options;
    this.#answerMs = options.answerMs ?? usualAnswerMs;
    this.#client = clientOf(options.place, this.#answerMs, (master) => {
      this.#master = master;
    });
    const { probe } = keysOf(options.region);
    this.#all = this.#part(undefined, () => probe);
    this.#hear();
  }

  /** Whether it answers; of a cluster, whether any node does. */
  get isUp(): boolean {
    return this.#all.isUp && (this.#nodes.size === 0 || hasNode(this.#client, (node) => !this.#isAway(node)));
  }

  /** Whether all of it answers. */
  get isWhole(): boolean {
    return this.#all.isUp && [...this.#nodes.values()].every(({ part }) => part.isUp);
  }

  /** Whether what has this key answers. */
  reaches(key: string): boolean {
    return this.#all.isUp && (this.#nodes.size === 0 || !this.#isAway(nodeOf(this.#client, key)));
  }

  /** Calls `listener` when Redis answers, now or again, be it one node alone. */
  onUp(listener: () => void): void {
    this.#listeners.push(listener);
    if (this.#all.isUp) listener();
  }

  /** Keys that `keyOf` gives, one for each master of a cluster but that of `besides`. */
  keyAtEach(keyOf: (index: number) => string, besides: string): string[] {
    return keyAtEach(this.#client, keyOf, besides);
  }

  /** All that was there is gone, though it answers: whoever waits for its return writes again. */
  emptied(): void {
    this.#up();
  }

  /**
   * Runs a script; the answer is without its time.
   *
   * @param keys of one slot
   * @param isUrgent whether the step must not be done after we have given up on it: `latest` is put
   *   before its values
   * @throws StoreError
   */
  async run(name: ScriptName, keys: readonly string[], values: readonly Value[], isUrgent = true): Promise<Reply> {
    const key = keys[0] ?? '';
    if (!this.reaches(key)) throw new StoreError('unreachable', 'the store is away');
    const node = nodeOf(this.#client, key);
    const latest = isUrgent ? [this.#latest(node)] : [];
    try {
      const [redisMs, ...reply] = await this.#call(name, keys, [...latest, ...values]);
      this.#heard.set(node, { redisMs, atMs: performance.now() });
      this.#partOf(node)?.worked();
      if (reply[0] === 'late') throw new StoreError('timeout', 'the store did this too late, so not at all');
      return reply;
    } catch (error) {
      throw error instanceof StoreError ? error : this.#failed(troubleOf(error), node, key);
    }
  }

  async close(): Promise<void> {
    clearTimeout(this.#loading);
    this.#all.close();
    for (const { part } of this.#nodes.values()) part.close();
    this.#client.disconnect();
  }

  #isAway(node: string | undefined): boolean {
    return node !== undefined && this.#nodes.get(node)?.part.isUp === false;
  }

  #partOf(node: string | undefined): StorePart | undefined {
    return node === undefined ? this.#all : this.#nodes.get(node)?.part;
  }

  #call(name: ScriptName, keys: readonly string[], values: readonly Value[]): Promise<[number, ...Reply]> {
    const client = this.#client as unknown as Record<ScriptName, (...given: Value[]) => Promise<[number, ...Reply]>>;
    const answer = client[name](keys.length, ...keys, ...values);
    // A cluster keeps what it has no node for, for as long as that takes.
    return 'nodes' in this.#options.place ? within(this.#answerMs, answer) : answer;
  }

  /** The latest time, by Redis' clock, at which a step that begins now is still wanted; 0: any. */
  #latest(node: string | undefined): number {
    const heard = this.#heard.get(node);
    if (!heard) return 0;
    return Math.ceil(heard.redisMs + (performance.now() - heard.atMs) + this.#answerMs);
  }

  #failed(trouble: RedisTrouble, node: string | undefined, key: string): StoreError {
    const { why, reason, isOfAll } = trouble;
    if (!isOfAll) this.#options.onRefused?.(trouble);
    else if (node === undefined) this.#all.failed(trouble);
    else this.#nodeFailed(node, key, trouble);
    if (why === 'timeout') return new StoreError(why, `the store did not answer within ${this.#answerMs} ms`);
    if (why === 'refused') return new StoreError(why, `the store refuses to do this: ${reason}`);
    return new StoreError(why, 'the store is away');
  }

  #nodeFailed(node: string, key: string, trouble: RedisTrouble): void {
    if (!this.#all.isUp) return;
    const part = this.#partOf(node) ?? this.#part(node, () => probeBeside(this.#nodes.get(node)?.key ?? key));
    this.#nodes.set(node, { part, key });
    part.failed(trouble);
  }

  #hear(): void {
    this.#client.on('connecting', () => {
      this.#connection = 'begun';
    });
    this.#client.on('connect', () => {
      this.#flaw = undefined;
      this.#loading = setTimeout(() => this.#all.lost(loadingTrouble()), 2 * this.#answerMs + loadingMs).unref();
    });
    this.#client.on('ready', () => this.#connected());
    this.#client.on('close', () => this.#closed());
    // Unheard it would end the process.
    this.#client.on('error', (error) => this.#erred(error));
    this.#client.on('sentinelError', (error) => {
      const trouble = troubleOf(error);
      // One that answers says more than one that is away.
      if (this.#sentinel?.why !== 'refused' || trouble.why === 'refused') this.#sentinel = trouble;
    });
  }

  /** Each node of a cluster is asked for itself: the key of a probe is at one of them. */
  #connected(): void {
    clearTimeout(this.#loading);
    this.#connection = 'ready';
    this.#look = 'none';
    if ('nodes' in this.#options.place && !this.#flaw) this.#all.answered();
    else void this.#all.ask();
    for (const { part } of this.#nodes.values()) void part.ask();
  }

  /** The connection has not come to be, or is not what it should be. */
  #erred(error: Error): void {
    const isOfSentinels = error.message.startsWith('All sentinels are unreachable');
    const trouble = (isOfSentinels && this.#sentinel) || troubleOf(error);
    if (isOfSentinels) this.#sentinel = undefined;
    if (trouble.why === 'refused') this.#flaw = trouble;
    if (this.#connection === 'begun') this.#connection = 'failed';
    void this.#explain(trouble, isOfSentinels);
  }

  #closed(): void {
    clearTimeout(this.#loading);
    if (this.#connection === 'ready') this.#all.lost(unknownTrouble);
    else if (this.#connection === 'begun') void this.#explain(unknownTrouble, false);
  }

  /** Tells what is wrong with a connection; where that is vague, after a look at the place. */
  async #explain(trouble: RedisTrouble, isSentinel: boolean): Promise<void> {
    if (this.#look === 'going on') return;
    const address = this.#addressOf(isSentinel);
    if (this.#connection === 'ready' || !trouble.isVague || this.#look === 'done' || !address) {
      this.#all.lost(trouble);
      return;
    }
    this.#look = 'going on';
    const seen = await lookAt(address, lookMs);
    if (this.#look !== 'going on') return;
    this.#look = 'done';
    const { place } = this.#options;
    const { isSecure } = isSentinel && 'sentinelLogin' in place ? place.sentinelLogin : place;
    this.#all.lost(troubleSeen(trouble, seen, { isSecure, isSentinel }));
  }

  #addressOf(isSentinel: boolean): RedisAddress | undefined {
    const { place } = this.#options;
    if ('nodes' in place) return place.nodes[0];
    if ('sentinels' in place) return isSentinel ? place.sentinels[0] : this.#master;
    return place;
  }

  /** @param probe a key that may be written, and is where it is to be asked */
  #part(node: string | undefined, probe: () => string): StorePart {
    const { onDown, onBack } = this.#options;
    return new StorePart({
      ask: async () => {
        if (node === undefined && this.#flaw) throw this.#flaw;
        await this.#call('probe', [probe()], [probeMs]);
      },
      isConnected: () => this.#client.status === 'ready',
      reconnect: () => letGo(this.#client, node),
      onUp: () => this.#up(),
      onDown: (trouble) => onDown?.(trouble, node),
      onBack: () => onBack?.(node),
    });
  }

  #up(): void {
    // After a restart or a failover another clock may run there.
    this.#heard.clear();
    for (const listener of this.#listeners) listener();
  }
}

/** The answer, or ioredis' own word for that there is none. */
async function within<Answer>(ms: number, answer: Promise<Answer>): Promise<Answer> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('Command timed out')), ms);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}

type Value = string | number;
type Reply = (string | number | string[])[];

/** Beyond this a Redis of one's own network is away, and nobody waits for it any longer. */
const usualAnswerMs = 500;
const probeMs = 10_000;
const lookMs = 1500;
/** A Redis that has answered the greeting by then, and is not ready, still reads its data. */
const loadingMs = 500;
