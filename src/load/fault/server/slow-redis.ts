import { duration } from '../../../config/fields.ts';
import { defineServerFault, noStore } from '../definition/definition.ts';

export const slowRedis = defineServerFault({
  name: 'slow-redis',
  key: 'slowRedis',
  about: 'Every answer of the Redis of the embedded server comes `by` later.',
  fields: { by: duration(1, 60_000), for: duration(1, 3_600_000) },
  target: 'server',
  part: 'store',
  storeNeeds: 'relay',
  inject: async ({ store }, { by }) => (store ? store.delayAnswers(by) : noStore),
  end: ({ store }) => void store?.delayAnswers(0),
});
