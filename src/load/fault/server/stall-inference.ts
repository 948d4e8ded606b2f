import { duration } from '../../../config/fields.ts';
import { defineServerFault } from '../definition/definition.ts';

export const stallInference = defineServerFault({
  name: 'stall-inference',
  key: 'stallInference',
  about: "The embedded server's inference worker does nothing.",
  fields: { for: duration(1, 60_000) },
  target: 'server',
  serveFlag: '--fault-injection',
  inject: (server, { forMs }) => server.disturbInference({ action: 'stall', ms: forMs }),
});
