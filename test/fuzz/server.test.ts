import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, beforeAll, expect } from 'vitest';
import { decodeFrame, encodeFrame } from '../../src/protocol/frame.ts';
import { parseClientMessage } from '../../src/protocol/parse-message.ts';
import { type RunningServer, startServer } from '../../src/server/gateway/server.ts';
import { createLog } from '../../src/telemetry/log.ts';
import { editedBytes, editedJson, editedText, fuzz } from '../kit/fuzz.ts';
import { rawIn } from '../kit/hostile-text.ts';
import { connect, startMessage } from '../kit/server/client.ts';
import { scriptedEngine, scriptedScoring } from '../kit/server/scripted.ts';

/** What a client may say, in its usual form. */
const messages = [
  startMessage(),
  startMessage({ reference: { words: [{ text: 'ab', phones: ['A', 'B'] }] }, idempotency_key: 'k' }),
  { type: 'finalize', marker: 'm' },
  { type: 'next_utterance', reference: { text: 'ab ba' } },
  { type: 'resume', session_id: 's', resume_token: 't', last_event_id: 0 },
  { type: 'close' },
];
const texts = messages.map((message) => JSON.stringify(message));
const frames = [0, 1, 2, 5].map((seq) =>
  encodeFrame({ codec: 'pcm_s16le', flags: 0, epoch: 0, seq, firstSample: seq * 320, payload: new Uint8Array(640) }),
);

const frame = fc
  .record({
    codec: fc.constantFrom('pcm_s16le' as const, 'pcm_f32le' as const),
    flags: fc.nat(7),
    epoch: fc.oneof(fc.nat(3), fc.nat(0xffffffff)),
    seq: fc.oneof(fc.nat(12), fc.nat(0xffffffff)),
    firstSample: fc.oneof(
      fc.nat(9).map((n) => n * 320),
      fc.maxSafeNat(),
    ),
    payload: fc.oneof(fc.constant(new Uint8Array(640)), fc.uint8Array({ maxLength: 64 })),
  })
  .map(encodeFrame);

const said = fc.oneof(
  { weight: 4, arbitrary: frame },
  { weight: 2, arbitrary: editedBytes(frames) },
  { weight: 3, arbitrary: fc.constantFrom(...texts) },
  { weight: 3, arbitrary: editedJson(messages).map((value) => JSON.stringify(value) ?? '') },
  { weight: 2, arbitrary: editedText(texts) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 40 }) },
);

fuzz(
  'frames alone',
  fc.oneof(
    fc.uint8Array({ maxLength: 80 }).map((bytes) => Buffer.from(bytes)),
    editedBytes(frames),
    frame,
  ),
  3000,
  (bytes) => {
    const decoded = decodeFrame(bytes);
    if (!decoded.ok) expect(decoded.message).not.toBe('');
  },
);

fuzz(
  'messages alone',
  fc.oneof(
    editedText(texts),
    editedJson(messages).map((value) => JSON.stringify(value) ?? ''),
    fc.string(),
  ),
  1500,
  (text) => {
    const parsed = parseClientMessage(text);
    if (!parsed.ok) expect(parsed.problem).not.toMatch(/call stack|\bundefined is|\[object O/);
  },
);

const log: string[] = [];
let server: RunningServer;
beforeAll(async () => {
  const plenty = 1_000_000;
  server = await startServer({
    engine: scriptedEngine(),
    scoring: scriptedScoring,
    log: createLog('info', { write: (line: string) => log.push(line) }),
    version: '0.0.0-test',
    // Guards of rates have tests of their own; here each client is to be heard.
    limits: {
      startsPerSecond: plenty,
      startBurst: plenty,
      messagesPerSecond: plenty,
      messageBurst: plenty,
      resumeTtlMs: 1,
    },
  });
});
afterAll(() => server.close());

fuzz('sessions of a server', fc.array(said, { minLength: 1, maxLength: 25 }), 150, async (sequence) => {
  const client = await connect(server.url);
  for (const one of sequence) client.raw(one);
  client.raw(JSON.stringify({ type: 'close' }));
  // A server that ends the session says why; one that never began has nothing to close.
  await Promise.race([client.closed, client.until('error').catch(() => {})]);
  client.cut();
  await client.closed;
  for (const event of client.events) expect(event.type).toMatch(/^[a-z_]+$/);
  await aHealthyLearnerIsServed();
  const bugs = log.filter((line) => JSON.parse(line).level >= 50);
  expect(bugs).toEqual([]);
  expect(rawIn(log.splice(0).join(''), 'json')).toEqual([]);
});

async function aHealthyLearnerIsServed(): Promise<void> {
  const learner = await connect(server.url);
  learner.send(startMessage({ idempotency_key: randomBytes(8).toString('hex') }));
  await learner.until('ready');
  learner.frames(0, 15);
  learner.send({ type: 'finalize' });
  await learner.until('utterance_final');
  learner.cut();
  await learner.closed;
}
