// Stands in for the worker: ready at once, dead at the first sound; thread death is what the engine has to survive.
import { parentPort, workerData } from 'node:worker_threads';
// biome-ignore lint/style/noRestrictedImports: Node 20 runs no TypeScript in a worker
import { toWorkerKinds } from '../../../dist/acoustic/worker/worker-messages.js';
// biome-ignore lint/style/noRestrictedImports: Node 20 runs no TypeScript in a worker
import { ThreadLink } from '../../../dist/threads/thread-link.js';

const link = new ThreadLink(workerData.link, look);
parentPort.on('message', (message) => {
  if (message !== 'close') return;
  link.close();
  parentPort.close();
});
parentPort.postMessage({ type: 'ready', provider: 'cpu' });
look();

function look() {
  do {
    link.read(
      ({ kind }) => {
        if ([toWorkerKinds.sound, toWorkerKinds.narrowSound].includes(kind)) throw new Error('out of device memory');
      },
      () => {},
    );
  } while (!link.sleep());
}
