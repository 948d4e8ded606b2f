import { isIP } from 'node:net';
import { Redis } from 'ioredis';
import { StoreError, type StoreTrouble } from '../session-store.ts';
import { keysOf, type ScriptName, scripts } from './scripts.ts';

/** Where a Redis is, and who we are there. */
export type RedisPlace = {
  host: string;
  port: number;
  database: number;
  username: string | undefined;
  password: string | undefined;
  isSecure: boolean;
};

export type RedisLinkOptions = {
  place: RedisPlace;
  /** How long an answer may take, ms. */
  answerMs?: number;
  /** The region whose keys it may write. */
  region?: string | undefined;
  /** Redis has stopped answering, or was not there from the beginning. */
  onDown?(why: StoreTrouble): void;
};

/**
 * One connection to a Redis that may stand still, be slow, go away or come back as another: a call
 * is answered in time or fails, and while Redis is known to be away it fails at once. Nothing is
 * queued, nothing is sent twice.
 */
export class RedisLink {
  readonly #options: RedisLinkOptions;
  readonly #answerMs: number;
  readonly #redis: Redis;
  readonly #listeners: (() => void)[] = [];
  /** Undefined: that is still to be seen. */
  #isUp: boolean | undefined;
  #isClosed = false;
  #probe: NodeJS.Timeout | undefined;
  #probes = 0;
  /** What Redis' clock said when, so that a step can say until when it is wanted. */
  #heard: { redisMs: number; atMs: number } | undefined;

  constructor(options: RedisLinkOptions) {
    const { place, answerMs = usualAnswerMs } = options;
    this.#options = options;
    this.#answerMs = answerMs;
    this.#redis = new Redis({
      host: place.host,
      port: place.port,
      db: place.database,
      ...(place.username !== undefined && { username: place.username }),
      ...(place.password !== undefined && { password: place.password }),
      ...(place.isSecure && { tls: isIP(place.host) === 0 ? { servername: place.host } : {} }),
      connectionName: 'speechfb',
      enableOfflineQueue: false,
      autoResendUnfulfilledCommands: false,
      maxRetriesPerRequest: 1,
      commandTimeout: answerMs,
      connectTimeout: connectMs,
      retryStrategy: (times) => backoffMs(times),
      // A primary that has become a replica: its name may lead to another one by now.
      reconnectOnError: ({ message }) => message.startsWith('READONLY'),
    });
    this.#redis.on('ready', () => this.#up());
    this.#redis.on('close', () => this.#down('unreachable'));
    // Each of them is followed by `close`; unheard it would end the process.
    this.#redis.on('error', () => {});
    for (const [name, lua] of Object.entries(scripts)) this.#redis.defineCommand(name, { lua });
  }

  get isUp(): boolean {
    return this.#isUp === true;
  }

  /** Calls `listener` when Redis answers, now or again. */
  onUp(listener: () => void): void {
    this.#listeners.push(listener);
    if (this.#isUp) listener();
  }

  /**
   * Runs a script; the answer is without its time.
   *
   * @param isUrgent whether the step must not be done after we have given up on it: `latest` is put
   *   before its values
   * @throws StoreError
   */
  async run(name: ScriptName, keys: readonly string[], values: readonly Value[], isUrgent = true): Promise<Reply> {
    if (!this.#isUp) throw new StoreError('unreachable', 'the store is away');
    const latest = isUrgent ? [this.#latest()] : [];
    const call = this.#redis as unknown as Record<ScriptName, (...given: Value[]) => Promise<[number, ...Reply]>>;
    try {
      const [redisMs, ...reply] = await call[name](keys.length, ...keys, ...latest, ...values);
      this.#heard = { redisMs, atMs: performance.now() };
      if (reply[0] === 'late') throw new StoreError('timeout', 'the store did this too late, so not at all');
      return reply;
    } catch (error) {
      throw error instanceof StoreError ? error : this.#trouble(error);
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#isUp = false;
    clearTimeout(this.#probe);
    this.#redis.disconnect();
  }

  /** The latest time, by Redis' clock, at which a step that begins now is still wanted; 0: any. */
  #latest(): number {
    const heard = this.#heard;
    if (!heard) return 0;
    return Math.ceil(heard.redisMs + (performance.now() - heard.atMs) + this.#answerMs);
  }

  /** What a failure of ioredis means; its words may hold what is nobody's business. */
  #trouble(error: unknown): StoreError {
    const message = error instanceof Error ? error.message : '';
    if (message === 'Command timed out') {
      this.#down('timeout');
      return new StoreError('timeout', `the store did not answer within ${this.#answerMs} ms`);
    }
    if (error instanceof Error && error.name === 'ReplyError') {
      this.#down('refused');
      return new StoreError('refused', 'the store refuses to do this');
    }
    return new StoreError('unreachable', 'the store is away');
  }

  #up(): void {
    if (this.#isUp || this.#isClosed) return;
    this.#isUp = true;
    this.#probes = 0;
    // After a restart or a failover another clock may run there.
    this.#heard = undefined;
    for (const listener of this.#listeners) listener();
  }

  #down(why: StoreTrouble): void {
    if (this.#isClosed) return;
    const isKnown = this.#isUp === false;
    this.#isUp = false;
    if (!isKnown) this.#options.onDown?.(why);
    // A connection that broke comes back by itself; one that is there has to be asked.
    if (why !== 'unreachable') this.#askLater();
  }

  #askLater(): void {
    clearTimeout(this.#probe);
    this.#probe = setTimeout(() => void this.#ask(), backoffMs(++this.#probes));
    this.#probe.unref();
  }

  /** Whether Redis answers and takes what is written. */
  async #ask(): Promise<void> {
    if (this.#isUp || this.#isClosed || this.#redis.status !== 'ready') return;
    try {
      await this.#redis.set(keysOf(this.#options.region).probe, '1', 'PX', probeMs);
      this.#up();
    } catch {
      if (!this.#isUp && !this.#isClosed) this.#askLater();
    }
  }
}

type Value = string | number;
type Reply = (string | number | string[])[];

/** 50 ms, then twice as long each time, up to 2 s, with some randomness: many gateways ask. */
function backoffMs(times: number): number {
  return Math.min(50 * 2 ** Math.min(times - 1, 10), 2000) * (0.75 + Math.random() / 2);
}

/** Beyond this a Redis of one's own network is away, and nobody waits for it any longer. */
const usualAnswerMs = 500;
const connectMs = 2000;
const probeMs = 10_000;
