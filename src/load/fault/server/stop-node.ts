import { duration, integer } from '../../../config/fields.ts';
import { defineServerFault } from '../definition/definition.ts';

export const stopNode = defineServerFault({
  name: 'stop-node',
  key: 'stopNode',
  about: 'An inference node of the embedded server is stopped where it stands (SIGSTOP), and goes on.',
  fields: { node: integer(1, 16), for: duration(1, 3_600_000) },
  target: 'server',
  part: 'node',
  inject: async (server, { node }) => server.nodes.signal(node, 'SIGSTOP'),
  end: (server, { node }) => void server.nodes.signal(node, 'SIGCONT'),
});
