import { duration } from '../../../config/fields.ts';
import { defineServerFault, noStore } from '../definition/definition.ts';

/** A replica that is promoted has what it had heard by then, and not what came meanwhile. */
export const failOverRedis = defineServerFault({
  name: 'fail-over-redis',
  key: 'failOverRedis',
  about:
    'The Redis of the embedded server is killed, and a replica takes its place that has heard nothing for `for` before.',
  fields: { for: duration(1, 3_600_000) },
  target: 'server',
  part: 'store',
  storeNeeds: 'replica',
  inject: async ({ store }) => (store ? await store.cutReplica() : noStore),
  end: ({ store }) => store?.failOver(),
});
