import { duration, percentField } from '../../config/fields.ts';
import { defineLearnerFault } from './definition/definition.ts';

export const losePackets = defineLearnerFault({
  name: 'lose-packets',
  key: 'losePackets',
  about: 'Networks lose a share of their packets more than they do, both ways; those of everybody without `learners`.',
  fields: {
    for: duration(1, 3_600_000),
    share: percentField().refine((share) => share > 0, { error: () => 'is 0%: it would lose nothing' }),
  },
  target: 'learners',
  simulated: true,
  everybody: true,
  inject: (learner, { forMs, share }) => learner.losePackets(share, forMs),
});
