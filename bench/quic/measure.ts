import { setTimeout as sleep } from 'node:timers/promises';
import { startDatagramProxy } from '../../src/proxy/datagram-proxy.ts';
import { startProxy } from '../../src/proxy/proxy.ts';
import type { NetworkProfile } from '../../src/sim/profile/profile.ts';
import { type Carrier, frameBytes, quicDatagram, quicStream, websocket } from './carriers.ts';

export const ways = ['websocket', 'quic-stream', 'quic-datagram'] as const;
export type Way = (typeof ways)[number];

/** What became of the frames of all learners together; those that never came are infinite, ms. */
export type Measured = { sortedMs: Float64Array; latenessP99Ms: number | null };

export type MeasureOptions = {
  network: NetworkProfile;
  seed: number;
  learners: number;
  seconds: number;
};

const carriers: Record<Way, Carrier> = {
  websocket,
  'quic-stream': quicStream,
  'quic-datagram': quicDatagram,
};
const frameMs = 20;
/** What is not counted: opening, and the first round trips. */
const warmupMs = 2000;
/** How long what is on its way may take after the end, as in the simulator. */
const drainMs = 10_000;

/**
 * Sends frames at 50 a second from each learner through the network, and notes when each is whole
 * at the server: from the call of `send` to the server's event, one clock for both.
 */
export async function measure(way: Way, options: MeasureOptions): Promise<Measured> {
  const { network, seed, learners, seconds } = options;
  const carrier = carriers[way];
  const frames = Math.ceil((warmupMs + seconds * 1000) / frameMs);
  const sentMs = new Float64Array(learners * frames).fill(Number.NaN);
  const latencyMs = new Float64Array(learners * frames).fill(Number.POSITIVE_INFINITY);
  const server = await carrier.listen((frame) => {
    const place = frame.readUInt32LE(0);
    if (place < sentMs.length) latencyMs[place] = performance.now() - sentMs[place]!;
  });
  const start = way === 'websocket' ? startProxy : startDatagramProxy;
  const proxy = await start({
    network,
    seed,
    listen: { host: '127.0.0.1', port: 0 },
    upstream: { host: '127.0.0.1', port: server.port },
    onEvent: (sentence) => console.error(`${way}: ${sentence}`),
  });
  const speak = async (learner: number): Promise<void> => {
    const { send, close } = await carrier.dial(proxy.port);
    const startMs = performance.now() + (learner * frameMs) / learners;
    for (let number = 0; number < frames; number++) {
      await sleep(Math.max(0, startMs + number * frameMs - performance.now()));
      const place = learner * frames + number;
      const frame = Buffer.alloc(frameBytes);
      frame.writeUInt32LE(place);
      sentMs[place] = performance.now();
      send(frame);
    }
    await sleep(drainMs);
    close();
  };
  await Promise.all(Array.from({ length: learners }, (_, learner) => speak(learner)));
  const { lateness } = proxy.stop();
  await server.close();
  const counted = latencyMs.filter((_, place) => (place % frames) * frameMs >= warmupMs);
  return { sortedMs: counted.sort(), latenessP99Ms: lateness.p99_ms };
}
