import { histogramsReady } from '../../metrics/histogram.ts';
import { endWithParent } from '../../threads/end-with-parent.ts';
import { type GeneratorTask, runGenerator } from './generator.ts';
import type { FromGenerator, ToGenerator } from './pool.ts';

// One generator's process: takes its task, says when it is ready, and begins when all are.
const stop = new AbortController();
const say = (message: FromGenerator, then?: () => void) => process.send?.(message, then ?? (() => {}));
let task: GeneratorTask | undefined;
/** A pipe that the parent holds open and writes nothing to. */
const stdinFd = 0;

endWithParent(stdinFd);
// Signals reach the whole group of processes; what they mean the parent decides.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => {});
process.on('disconnect', () => stop.abort());
process.on('message', (message: ToGenerator) => {
  if (message.type === 'task') {
    task = message.task;
    histogramsReady().then(() => say({ type: 'ready' }));
  } else if (message.type === 'stop') {
    say({ type: 'stopping' });
    stop.abort();
  } else if (task) {
    run({ ...task, startAtEpochMs: message.startAtEpochMs });
  }
});

async function run(share: GeneratorTask): Promise<void> {
  const result = await runGenerator(share, {
    onProgress: (progress) => say({ type: 'progress', progress }),
    signal: stop.signal,
  });
  say({ type: 'result', result }, () => process.disconnect?.());
}
