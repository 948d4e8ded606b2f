import { duration, percentField } from '../../config/fields.ts';
import { defineLearnerFault } from './definition/definition.ts';

export const dropMessages = defineLearnerFault({
  name: 'drop-messages',
  key: 'dropMessages',
  about: 'The app loses a share of its frames before it sends them; everybody does without `learners`.',
  fields: {
    for: duration(1, 3_600_000),
    share: percentField().refine((share) => share > 0, { error: () => 'is 0%: it would lose nothing' }),
  },
  target: 'learners',
  everybody: true,
  inject: (learner, { atMs, forMs, share }) => learner.loseFrames(share, atMs, atMs + forMs),
});
