// Stands in for the scoring worker: takes utterances, and never comes back from the first frames.
import { parentPort } from 'node:worker_threads';

parentPort.on('message', (message) => {
  while (message.frames);
});
