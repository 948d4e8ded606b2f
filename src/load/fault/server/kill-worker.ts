import { duration, integer } from '../../../config/fields.ts';
import { defineServerFault } from '../definition/definition.ts';

export const killWorker = defineServerFault({
  name: 'kill-worker',
  key: 'killWorker',
  about: 'A worker of the embedded server is killed (SIGKILL); another takes its place after `for`.',
  fields: { worker: integer(1, 16), for: duration(1, 3_600_000) },
  target: 'server',
  part: 'worker',
  inject: async ({ workers }, { worker }) => workers.signal(worker, 'SIGKILL'),
  end: ({ workers }, { worker }) => workers.start(worker),
});
