import { duration } from '../../../config/fields.ts';
import { defineServerFault, noQueue } from '../definition/definition.ts';

export const stopKafka = defineServerFault({
  name: 'stop-kafka',
  key: 'stopKafka',
  about: 'The Kafka of the embedded server is stopped where it stands (SIGSTOP), and goes on.',
  fields: { for: duration(1, 3_600_000) },
  target: 'server',
  part: 'queue',
  inject: async ({ queue }) => (queue ? queue.signal('SIGSTOP') : noQueue),
  end: ({ queue }) => void queue?.signal('SIGCONT'),
});
