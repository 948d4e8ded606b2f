import { duration, integer } from '../../../config/fields.ts';
import { defineServerFault } from '../definition/definition.ts';

/** As an accelerator that is too hot, or shared with others. */
export const slowInference = defineServerFault({
  name: 'slow-inference',
  key: 'slowInference',
  about: "Every run of the embedded server's model takes `times` as long.",
  fields: { for: duration(1, 60_000), times: integer(2, 100) },
  target: 'server',
  serveFlag: '--fault-injection',
  inject: (server, { forMs, times }) => server.disturbInference({ action: 'slow', ms: forMs, times }),
});
