import { duration, integer } from '../../../config/fields.ts';
import { defineServerFault } from '../definition/definition.ts';

export const killGateway = defineServerFault({
  name: 'kill-gateway',
  key: 'killGateway',
  about: 'A gateway of the embedded server is killed (SIGKILL); another takes its place after `for`.',
  cutsSockets: true,
  fields: { gateway: integer(1, 16), for: duration(1, 3_600_000) },
  target: 'server',
  part: 'gateway',
  inject: async (server, { gateway }) => server.gateways.signal(gateway, 'SIGKILL'),
  end: (server, { gateway }) => server.gateways.start(gateway),
});
