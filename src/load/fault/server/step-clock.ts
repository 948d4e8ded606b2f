import { duration } from '../../../config/fields.ts';
import { defineServerFault } from '../definition/definition.ts';

/** What counts time by itself is not disturbed; what trusts the time of day is. */
export const stepClock = defineServerFault({
  name: 'step-clock',
  key: 'stepClock',
  about: "The wall clock of the embedded server's gateways and nodes steps back.",
  fields: { back: duration(1, 604_800_000) },
  target: 'server',
  steppingClock: true,
  inject: async ({ gateways, nodes }, { back }) => {
    const stepped = [gateways.stepClocks(-back), nodes.stepClocks(-back)];
    return stepped.includes(true) ? undefined : 'the server is gone';
  },
});
