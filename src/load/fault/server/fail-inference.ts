import { defineServerFault } from '../definition/definition.ts';

/** A good server goes on, on the CPU or with another thread, and scores the sound again. */
export const failInference = defineServerFault({
  name: 'fail-inference',
  key: 'failInference',
  about: "A run of the embedded server's model fails.",
  fields: {},
  target: 'server',
  serveFlag: '--fault-injection',
  inject: (server) => server.disturbInference({ action: 'fail' }),
});
