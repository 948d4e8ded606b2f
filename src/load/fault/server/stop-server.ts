import { duration } from '../../../config/fields.ts';
import { defineServerFault } from '../definition/definition.ts';

export const stopServer = defineServerFault({
  name: 'stop-server',
  key: 'stopServer',
  about: "The embedded server's process is stopped (SIGSTOP), and goes on.",
  cutsSockets: true,
  fields: { for: duration(1, 3_600_000) },
  target: 'server',
  inject: async (server) => (server.gateways.signalAll('SIGSTOP') ? undefined : 'the server is gone'),
  end: (server) => void server.gateways.signalAll('SIGCONT'),
});
