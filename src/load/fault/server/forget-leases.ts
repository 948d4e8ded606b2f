import { duration, integer } from '../../../config/fields.ts';
import { defineServerFault } from '../definition/definition.ts';

/** As a node whose count of its slots is wrong: gateways have to find out by themselves. */
export const forgetLeases = defineServerFault({
  name: 'forget-leases',
  key: 'forgetLeases',
  about: 'An inference node of the embedded server grants every slot that it is asked for, and keeps none.',
  fields: { node: integer(1, 16), for: duration(1, 3_600_000) },
  target: 'server',
  part: 'node',
  nodeFlag: '--fault-injection',
  inject: async (server, { node }) => server.nodes.signal(node, 'SIGUSR2'),
  end: (server, { node }) => void server.nodes.signal(node, 'SIGUSR2'),
});
