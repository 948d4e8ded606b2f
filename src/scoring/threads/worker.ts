import { parentPort, workerData } from 'node:worker_threads';
import { collectGarbage } from '../../threads/memory.ts';
import { nameThread } from '../../threads/thread-name.ts';
import { calibratorOf } from '../utterance-scorer.ts';
import type { FromScoring, ScoringStart, ToScoring } from './messages.ts';
import { ScoringDesk } from './scoring-desk.ts';

/** A thread that scores utterances: the model's frames in, feedback and results out. */
const port = parentPort!;
const { model }: ScoringStart = workerData;
/** The thread looks for messages this often while it has work: so long may a newcomer wait. */
const mailEveryMs = 4;

nameThread('speechfb-score');
calibratorOf(model);
const desk = new ScoringDesk(model, (message: FromScoring) => port.postMessage(message));
let isScheduled = false;

port.on('message', (message: ToScoring) => {
  if (message === 'tidy') {
    collectGarbage();
    return;
  }
  desk.take(message);
  // While there is more to do than fits between two looks, messages only queue.
  if (!isScheduled) work();
});

function work(): void {
  isScheduled = desk.work(mailEveryMs);
  if (isScheduled) setImmediate(work);
}
