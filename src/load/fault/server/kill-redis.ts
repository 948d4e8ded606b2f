import { duration } from '../../../config/fields.ts';
import { defineServerFault, noStore } from '../definition/definition.ts';

export const killRedis = defineServerFault({
  name: 'kill-redis',
  key: 'killRedis',
  about: 'The Redis of the embedded server is killed (SIGKILL); an empty one takes its place after `for`.',
  fields: { for: duration(1, 3_600_000) },
  target: 'server',
  part: 'store',
  inject: async ({ store }) => (store ? store.signal('SIGKILL') : noStore),
  end: ({ store }) => store?.startAgain(),
});
