import { duration } from '../../config/fields.ts';
import { defineLearnerFault } from './definition/definition.ts';

export const cutNetwork = defineLearnerFault({
  name: 'cut-network',
  key: 'cutNetwork',
  about: 'Nothing passes, either way, and nobody is told.',
  cutsSockets: true,
  fields: { for: duration(1, 3_600_000) },
  target: 'learners',
  simulated: true,
  inject: (learner, { forMs }) => learner.cutNetwork(forMs),
});
