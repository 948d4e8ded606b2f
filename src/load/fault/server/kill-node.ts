import { duration, integer } from '../../../config/fields.ts';
import { defineServerFault } from '../definition/definition.ts';

export const killNode = defineServerFault({
  name: 'kill-node',
  key: 'killNode',
  about: 'An inference node of the embedded server is killed (SIGKILL); another takes its place after `for`.',
  fields: { node: integer(1, 16), for: duration(1, 3_600_000) },
  target: 'server',
  part: 'node',
  inject: async (server, { node }) => server.nodes.signal(node, 'SIGKILL'),
  end: (server, { node }) => server.nodes.start(node),
});
