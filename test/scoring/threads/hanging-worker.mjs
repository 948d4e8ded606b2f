// Stands in for the scoring worker: takes utterances, and never comes back from the first frames.
import { workerData } from 'node:worker_threads';
// biome-ignore lint/style/noRestrictedImports: Node 20 runs no TypeScript in a worker
import { toScoringKinds } from '../../../dist/scoring/threads/messages.js';
// biome-ignore lint/style/noRestrictedImports: Node 20 runs no TypeScript in a worker
import { ThreadLink } from '../../../dist/threads/thread-link.js';

const link = new ThreadLink(workerData.link, look);
look();

function look() {
  do {
    link.read(
      ({ kind }) => {
        while (kind === toScoringKinds.frames);
      },
      () => {},
    );
  } while (!link.sleep());
}
