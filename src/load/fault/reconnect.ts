import { defineLearnerFault } from './definition/definition.ts';

export const reconnect = defineLearnerFault({
  name: 'reconnect',
  key: 'reconnect',
  about: 'Sockets are cut; the apps resume by themselves.',
  cutsSockets: true,
  fields: {},
  target: 'learners',
  inject: (learner) => learner.reconnect(),
});
