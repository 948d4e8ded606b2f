import { parentPort, workerData } from 'node:worker_threads';
import { collectGarbage } from '../../threads/memory.ts';
import { standBehind } from '../../threads/stand-behind.ts';
import { nameThread } from '../../threads/thread-name.ts';
import { calibratorOf } from '../utterance-scorer.ts';
import type { ScoringStart, ToScoring } from './messages.ts';
import { ScoringDesk } from './scoring-desk.ts';

/** A thread that scores utterances: the model's frames in, feedback and results out. */
const port = parentPort!;
const { model, link }: ScoringStart = workerData;
/** The thread looks for mail this often while it has work: so long may a newcomer wait. */
const mailEveryMs = 4;
/** How long it stands still when the reader of what it says is behind. */
const fullWaitMs = 2;

nameThread('speechfb-score');
standBehind();
calibratorOf(model);
let isScheduled = false;
const desk = new ScoringDesk(model, link, () => {
  // While there is more to do than fits between two looks, mail only waits.
  if (!isScheduled) work();
});
port.on('message', (message: ToScoring) => {
  if (message === 'tidy') collectGarbage();
});
work();

function work(): void {
  const isFull = desk.isFull;
  isScheduled = isFull || desk.work(mailEveryMs);
  if (isFull) setTimeout(work, fullWaitMs);
  else if (isScheduled) setImmediate(work);
}
