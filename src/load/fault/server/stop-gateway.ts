import { duration, integer } from '../../../config/fields.ts';
import { defineServerFault } from '../definition/definition.ts';

export const stopGateway = defineServerFault({
  name: 'stop-gateway',
  key: 'stopGateway',
  about: 'A gateway of the embedded server is stopped where it stands (SIGSTOP), and goes on.',
  cutsSockets: true,
  fields: { gateway: integer(1, 16), for: duration(1, 3_600_000) },
  target: 'server',
  part: 'gateway',
  inject: async (server, { gateway }) => server.gateways.signal(gateway, 'SIGSTOP'),
  end: (server, { gateway }) => void server.gateways.signal(gateway, 'SIGCONT'),
});
