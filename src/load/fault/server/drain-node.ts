import { duration, integer } from '../../../config/fields.ts';
import { defineServerFault } from '../definition/definition.ts';

export const drainNode = defineServerFault({
  name: 'drain-node',
  key: 'drainNode',
  about: 'An inference node of the embedded server is asked to go (SIGTERM); another takes its place after `for`.',
  fields: { node: integer(1, 16), for: duration(1, 3_600_000) },
  target: 'server',
  part: 'node',
  inject: async (server, { node }) => server.nodes.signal(node, 'SIGTERM'),
  end: (server, { node }) => server.nodes.start(node),
});
