// Stands in for the scoring worker: takes utterances, dies with the first frames.
import { parentPort } from 'node:worker_threads';

parentPort.on('message', (message) => {
  if (message.frames) throw new Error('out of memory');
});
