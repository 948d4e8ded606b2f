import { duration } from '../../../config/fields.ts';
import { defineServerFault, noQueue } from '../definition/definition.ts';

export const killKafka = defineServerFault({
  name: 'kill-kafka',
  key: 'killKafka',
  about: 'The Kafka of the embedded server is killed (SIGKILL); it comes back after `for` with what it has kept.',
  fields: { for: duration(1, 3_600_000) },
  target: 'server',
  part: 'queue',
  inject: async ({ queue }) => (queue ? queue.signal('SIGKILL') : noQueue),
  end: ({ queue }) => queue?.startAgain(),
});
