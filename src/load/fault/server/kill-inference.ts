import { defineServerFault } from '../definition/definition.ts';

/** A good server starts another worker. */
export const killInference = defineServerFault({
  name: 'kill-inference',
  key: 'killInference',
  about: "The embedded server's inference worker is gone.",
  fields: {},
  target: 'server',
  serveFlag: '--fault-injection',
  inject: (server) => server.disturbInference({ action: 'kill' }),
});
