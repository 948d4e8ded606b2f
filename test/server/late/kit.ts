import { onTestFinished } from 'vitest';
import { Handoff } from '../../../src/handoff/handoff.ts';
import { HandoffWorker } from '../../../src/handoff/handoff-worker.ts';
import { scoreHanded } from '../../../src/handoff/score-handed.ts';
import { MemoryQueue } from '../../../src/queue/memory-queue.ts';
import type { ServerOptions } from '../../../src/server/gateway/server-options.ts';
import { MemoryResultStore } from '../../../src/stores/memory-result-store.ts';
import { silentLog } from '../../handoff/kit.ts';
import { scriptedEngine, scriptedScoring } from '../../kit/server/scripted.ts';
import { serve } from '../../kit/server/serve.ts';

export const keepMs = 600_000;

/** A server that hands over, and a worker that can be let loose. */
export async function opened(changes: Partial<ServerOptions> = {}) {
  const queue = new MemoryQueue(Date.now);
  let nowMs = 1000;
  const results = new MemoryResultStore(() => nowMs);
  const common = { queue, results, region: '', keepMs, wallMs: Date.now, log: silentLog, pause: async () => {} };
  const handoff = new Handoff({ ...common, maxSoundBytes: 400_000, maxOutboxBytes: 1e7 });
  const limits = { resumeTtlMs: 200, inferenceTimeoutMs: 400, ...changes.limits };
  const server = await serve({ late: { handoff, results, keepMs }, ...changes, limits });
  const { readReference, openUtterance } = scriptedScoring;
  const scoring = { engine: () => scriptedEngine(), readReference, openUtterance };
  const worker = new HandoffWorker({
    ...common,
    score: (head, utterance) => scoreHanded(scoring, head, utterance),
    atOnce: 2,
    tries: 3,
    random: Math.random,
  });
  onTestFinished(() => queue.close());
  return { server, queue, handoff, results, work: () => void worker.run(), pass: (ms: number) => (nowMs += ms) };
}
