// Stands in for the worker: ready at once, dead at the first sound; thread death is what the engine has to survive.
import { parentPort } from 'node:worker_threads';

parentPort.postMessage({ type: 'ready', provider: 'cpu' });
parentPort.on('message', (message) => {
  if (message === 'close') parentPort.close();
  else if (message.pcm.length > 0) throw new Error('out of device memory');
});
