import { performance } from 'node:perf_hooks';
import { expect, onTestFinished } from 'vitest';
import { StreamClient } from '../../../src/client/client.ts';
import type { ClientEnd } from '../../../src/client/close-outcome.ts';
import { SoundFrames } from '../../../src/client/frames.ts';
import { type LinkTarget, socketLinks } from '../../../src/client/link/websocket-connection.ts';
import { startWheel } from '../../../src/clock/wheel.ts';
import { InvariantWatch } from '../../../src/load/meter/protocol-invariants.ts';
import type { ServerEvent } from '../../../src/protocol/server-messages.ts';
import { createRandomStream } from '../../../src/stats/random-stream.ts';
import { type EventOf, finalPhones } from './client.ts';

/** What learners read unless they are told to read something else. */
export const text = 'abababab babababa';
const now = (): number => performance.now();

/** What a learner was told for good: each final phone once, and the words of each final. */
export function told(events: readonly ServerEvent[]): unknown {
  const finals = events.filter((event) => event.type === 'utterance_final');
  return { phones: finalPhones(events), finals: finals.map(({ utterance_id, words }) => ({ utterance_id, words })) };
}

/** Two seconds of sound, in frames of 20 ms. */
const frames = 100;
const sound = new SoundFrames({ pcm: new Uint8Array(64_000), sampleRateHz: 16_000 }, 20);

/** An app with our own client, which tries one gateway after the other. */
export class Learner {
  readonly events: ServerEvent[] = [];
  /** What of the protocol was broken. */
  readonly broken: string[] = [];
  readonly client: StreamClient;
  readonly #invariants = new InvariantWatch();
  readonly ended: Promise<ClientEnd>;

  /**
   * @param urls asked anew for each connection
   * @param way how they are reached
   */
  constructor(urls: () => readonly string[], way: Omit<LinkTarget, 'url'> = {}) {
    const wheel = startWheel(now);
    onTestFinished(() => wheel.stop());
    let tries = 0;
    let end: (end: ClientEnd) => void = () => {};
    this.ended = new Promise((resolve) => {
      end = resolve;
    });
    this.client = new StreamClient({
      open: (...given) => {
        const all = urls();
        return socketLinks({ url: all[tries++ % all.length]!, ...way }, now)(...given);
      },
      start: { audio: { encoding: 'pcm_s16le', sample_rate: 16_000, channels: 1 }, reference: { text } },
      clock: now,
      timers: wheel.timers,
      random: createRandomStream(1),
      onEvent: (event, _receivedMs, _downlinkMs, framesSent) => {
        this.events.push(event);
        this.broken.push(...this.#invariants.check(event, framesSent));
      },
      onBadMessage: ({ problem }) => this.broken.push(problem),
      onEnd: end,
    });
    onTestFinished(() => this.client.abort('the test is over'));
  }

  of<Type extends ServerEvent['type']>(type: Type): EventOf<Type>[] {
    return this.events.filter((event): event is EventOf<Type> => event.type === type);
  }

  async until(type: ServerEvent['type'], count: number): Promise<void> {
    await expect.poll(() => this.of(type).length).toBeGreaterThanOrEqual(count);
  }

  /** Says these frames; resolves when a server has them all. */
  async speak(first: number, last: number): Promise<void> {
    await this.until('ready', 1);
    this.say(first, last);
    await expect.poll(() => this.client.unacked).toBe(0);
  }

  /** Says these frames and waits for nobody. */
  say(first: number, last: number): void {
    for (let index = first; index <= last; index += 1) this.client.sendAudio(sound, index % frames);
  }

  async finish(): Promise<ClientEnd> {
    const { sent } = this.client;
    this.client.finalize('the end');
    await expect.poll(() => this.of('utterance_final').some(({ marker }) => marker === 'the end')).toBe(true);
    this.client.close();
    expect(this.client.sent).toBe(sent);
    return await this.ended;
  }
}
