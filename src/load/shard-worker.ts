import { parentPort, workerData } from 'node:worker_threads';
import { runShard } from './shard.ts';
import type { ShardMessage } from './shard-thread.ts';

// The generator's own thread: a screen or a table drawn on another cannot make a frame late.
const stop = new AbortController();
const send = (message: ShardMessage) => parentPort?.postMessage(message);
parentPort?.once('message', () => stop.abort());
const result = await runShard(workerData, {
  onProgress: (progress) => send({ type: 'progress', progress }),
  signal: stop.signal,
});
send({ type: 'result', result });
parentPort?.close();
