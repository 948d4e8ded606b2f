import { createLog } from '../../src/telemetry/log.ts';
import { startInferenceNode } from '../../src/trunk/node/inference-node.ts';
import { answerLooks } from './look.ts';
import { quietEngine, quietScoring } from './quiet-scoring.ts';

// A node whose scoring costs next to nothing; it says where it listens and what it has spent.
const node = await startInferenceNode({
  engine: quietEngine(),
  openUtterance: quietScoring,
  log: createLog('error', process.stderr),
  name: `bench ${process.pid}`,
  region: '',
  slots: 10_000,
  leaseTtlMs: 5000,
  drainMs: 100,
  address: '127.0.0.1:0',
});
answerLooks(node.address);
