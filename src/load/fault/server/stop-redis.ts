import { duration } from '../../../config/fields.ts';
import { defineServerFault, noStore } from '../definition/definition.ts';

export const stopRedis = defineServerFault({
  name: 'stop-redis',
  key: 'stopRedis',
  about: 'The Redis of the embedded server is stopped where it stands (SIGSTOP), and goes on.',
  fields: { for: duration(1, 3_600_000) },
  target: 'server',
  part: 'store',
  inject: async ({ store }) => (store ? store.signal('SIGSTOP') : noStore),
  end: ({ store }) => void store?.signal('SIGCONT'),
});
