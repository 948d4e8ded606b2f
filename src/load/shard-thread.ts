import { Worker } from 'node:worker_threads';
import type { ShardHooks, ShardResult, ShardTask } from './shard.ts';
import type { ShardProgress } from './shard-progress.ts';

export type ShardMessage = { type: 'progress'; progress: ShardProgress } | { type: 'result'; result: ShardResult };

/** `runShard` on a thread of its own. Aborting the signal ends it early with what it has. */
export function runShardInThread(task: ShardTask, { onProgress, signal }: ShardHooks): Promise<ShardResult> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL('./shard-worker.js', import.meta.url), { workerData: task });
    const stop = () => worker.postMessage('stop');
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop, { once: true });
    worker.on('message', (message: ShardMessage) => {
      if (message.type === 'progress') onProgress(message.progress);
      else resolve(message.result);
    });
    worker.on('error', reject);
    worker.on('exit', (code) => {
      signal.removeEventListener('abort', stop);
      reject(new Error(`the generator's thread ended with code ${code} and no result`));
    });
  });
}
