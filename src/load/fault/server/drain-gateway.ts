import { duration, integer } from '../../../config/fields.ts';
import { defineServerFault } from '../definition/definition.ts';

export const drainGateway = defineServerFault({
  name: 'drain-gateway',
  key: 'drainGateway',
  about: 'A gateway of the embedded server is asked to go (SIGTERM); another takes its place after `for`.',
  cutsSockets: true,
  fields: { gateway: integer(1, 16), for: duration(1, 3_600_000) },
  target: 'server',
  part: 'gateway',
  inject: async (server, { gateway }) => server.gateways.signal(gateway, 'SIGTERM'),
  end: (server, { gateway }) => server.gateways.start(gateway),
});
