import { describe, expect, it } from 'vitest';
import { exitCodes, SpeechfbError } from '../../src/errors.ts';
import { newDataKey, sealRecord } from '../../src/handoff/cipher.ts';
import { Handoff } from '../../src/handoff/handoff.ts';
import { HandoffWorker, type HandoffWorkerOptions } from '../../src/handoff/handoff-worker.ts';
import { readHead, writeHead } from '../../src/handoff/record.ts';
import { MemoryQueue } from '../../src/queue/memory-queue.ts';
import { type Delivery, QueueError } from '../../src/queue/work-queue.ts';
import { MemoryResultStore } from '../../src/stores/memory-result-store.ts';
import type { ResultStore } from '../../src/stores/result-store.ts';
import { StoreError } from '../../src/stores/session-store.ts';
import { handedUtterance, handingSession, lateFinal, readableLog, silentLog } from './kit.ts';

/** A gateway's end, and workers at the other; pauses take no time but on the clock. */
function place() {
  let nowMs = 1_000_000;
  const pauses: number[] = [];
  const queue = new MemoryQueue(() => nowMs);
  const results = new MemoryResultStore(() => nowMs);
  const { log, said } = readableLog();
  const pause = async (ms: number): Promise<void> => {
    pauses.push(ms);
    nowMs += ms;
  };
  const common = { queue, results, region: '', keepMs: 600_000, wallMs: () => nowMs, pause };
  const handoff = new Handoff({ ...common, maxSoundBytes: 1e6, maxOutboxBytes: 1e7, log: silentLog });
  const worker = (changes: Partial<HandoffWorkerOptions> = {}): HandoffWorker => {
    const made = new HandoffWorker({
      ...common,
      score: async ({ session, utterance }) => ({ of: `${session} ${utterance}` }),
      atOnce: 4,
      tries: 5,
      log,
      random: () => 0.5,
      ...changes,
    });
    return made;
  };
  return { queue, results, handoff, worker, said, pauses, pass: (ms: number) => (nowMs += ms) };
}

describe('a worker', () => {
  it('writes each result once, of a thousand utterances by three workers', async () => {
    const { queue, results, handoff, worker } = place();
    const scored: string[] = [];
    for (let id = 0; id < 1000; id += 1)
      handoff.hand(handingSession(`s${id % 40}`), lateFinal(id), handedUtterance(16));
    const score: HandoffWorkerOptions['score'] = async ({ utterance }) => {
      scored.push(String(utterance));
      await new Promise((resolve) => setImmediate(resolve));
      return { of: utterance };
    };
    const workers = [worker({ score }), worker({ score }), worker({ score })];
    for (const one of workers) void one.run();
    await expect.poll(() => queue.size === 0 && handoff.numbers.waiting === 0).toBe(true);
    expect(scored).toHaveLength(1000);
    for (let id = 0; id < 40; id += 1) {
      const found = await results.read(`s${id}`);
      expect(found.kind === 'found' && found.utterances.every(({ state }) => state === 'done')).toBe(true);
    }
    expect(workers.reduce((sum, { counts }) => sum + counts.scored, 0)).toBe(1000);
  });

  it('that dies between its result and the commit leaves no second result', async () => {
    const { queue, results, handoff, worker } = place();
    const delivery = await delivered(queue, handoff);
    const dying = { ...queueOf(queue, [delivery]), commit: () => Promise.reject(new QueueError('failed', 'killed')) };
    const first = worker({ queue: dying });
    await first.run();
    await first.drain(1000);
    const second = worker({ queue: queueOf(queue, [delivery]), score: async () => ({ of: 'another' }) });
    await second.run();
    await second.drain(1000);
    expect([first.counts.scored, second.counts.known]).toEqual([1, 1]);
    const value = '{"of":"s 1"}';
    expect(await results.read('s')).toMatchObject({ utterances: [{ state: 'done', value }] });
  });

  it('that is given a record again amid its work begins it once, and commits it as it was given last', async () => {
    const { queue, results, handoff, worker } = place();
    const delivery = await delivered(queue, handoff);
    const again = { ...delivery };
    const other = { ...delivery, appendedMs: delivery.appendedMs + 1 };
    const committed: Delivery[] = [];
    const ends: (() => void)[] = [];
    const one = worker({
      queue: {
        ...queueOf(queue, [delivery, again, other]),
        async commit(given) {
          committed.push(given);
          if (given === delivery) throw new QueueError('failed', 'the record has gone to another worker meanwhile');
        },
      },
      score: () => new Promise((resolve) => void ends.push(() => resolve({ of: 'it' }))),
    });
    await one.run();
    // Another record at a place that was given away anew is work of its own.
    await expect.poll(() => ends.length).toBe(2);
    ends[0]!();
    await expect.poll(() => one.going).toBe(1);
    expect(committed).toEqual([delivery, again]);
    expect(await results.begin({ sessionId: 's', utteranceId: 1 })).toEqual({ kind: 'finished' });
    ends[1]!();
    await expect.poll(() => one.counts).toMatchObject({ scored: 1, known: 1 });
  });

  it('tries again with longer and longer pauses, then puts the record aside and says so', async () => {
    const { queue, results, handoff, worker, pauses, said } = place();
    const delivery = await delivered(queue, handoff);
    const one = worker({ queue: queueOf(queue, [delivery]), score: () => Promise.reject(new Error('the model died')) });
    await one.run();
    await one.drain(1000);
    expect(pauses).toEqual([375, 750, 1500, 3000]);
    expect(queue.dead).toHaveLength(1);
    expect(queue.dead[0]!.headers['dead-reason']).toBe('the model died');
    expect(said.at(-1)).toBe('a record was put aside: the model died');
    expect(await results.read('s')).toMatchObject({
      utterances: [{ state: 'failed', value: 'it could not be scored' }],
    });
  });

  it('puts a record aside at once that no further try can mend', async () => {
    const { queue, handoff, worker, pauses } = place();
    const delivery = await delivered(queue, handoff);
    const refused = new SpeechfbError('invalid_reference', 'the model does not know the phone XX');
    const one = worker({ queue: queueOf(queue, [delivery]), score: () => Promise.reject(refused) });
    await one.run();
    await one.drain(1000);
    expect(pauses).toEqual([]);
    expect(queue.dead[0]!.headers['dead-reason']).toBe('the model does not know the phone XX');
  });

  it('tries again what a thread had in hand that died of something else', async () => {
    const { queue, handoff, worker, pauses } = place();
    const delivery = await delivered(queue, handoff);
    const died = new SpeechfbError('scoring_crashed', 'the scoring thread died', { exitCode: exitCodes.bug });
    let tries = 0;
    const score = async (): Promise<object> => {
      if (++tries < 3) throw died;
      return { of: 'it' };
    };
    const one = worker({ queue: queueOf(queue, [delivery]), score });
    await one.run();
    await one.drain(1000);
    expect(one.counts).toMatchObject({ scored: 1, dead: 0 });
    expect(pauses).toHaveLength(2);
  });

  it.each([
    ['lets those behind a record go first that waits for its next try', 1e6, [1, 2, 3, 4, 1]],
    ['begins nothing more while too much waits for its next try', 0, [1, 1, 2, 3, 4]],
  ])('%s', async (_, maxRestingBytes, order) => {
    const { queue, handoff, worker } = place();
    const deliveries: Delivery[] = [];
    for (let id = 1; id <= 4; id += 1) deliveries.push(await delivered(queue, handoff, id));
    const begun: number[] = [];
    const score: HandoffWorkerOptions['score'] = async ({ utterance }) => {
      begun.push(utterance);
      if (utterance === 1 && begun.length === 1) throw new Error('the model died');
      return { of: utterance };
    };
    let goOn = (): void => {};
    const pause = (): Promise<void> => new Promise((resolve) => (goOn = resolve));
    const one = worker({ queue: queueOf(queue, deliveries), score, pause, atOnce: 1, maxRestingBytes });
    const given = one.run();
    await expect.poll(() => begun.length).toBe(maxRestingBytes === 0 ? 1 : 4);
    expect(one.going).toBe(1);
    goOn();
    await given;
    await expect.poll(() => one.counts.scored).toBe(4);
    expect(begun).toEqual(order);
  });

  it('puts a record aside that ended its workers, without trying it once more', async () => {
    const { queue, results, handoff, worker } = place();
    const delivery = await delivered(queue, handoff);
    for (let died = 0; died < 5; died += 1) await results.begin({ sessionId: 's', utteranceId: 1 });
    const one = worker({ queue: queueOf(queue, [delivery]), score: () => expect.unreachable() });
    await one.run();
    await one.drain(1000);
    expect(queue.dead[0]!.headers['dead-reason']).toBe('it ended its worker 5 times');
  });

  it.each([
    [
      'of the future',
      (value: Buffer) => Buffer.concat([value.subarray(0, 4), Buffer.from([2]), value.subarray(5)]),
      'it has version 2; this program reads version 1',
    ],
    ['that is none', () => Buffer.from('x'), 'it is no record of an utterance'],
    ['of the past', (value: Buffer) => withByte(value, 4, 0), 'it has version 0; this program reads version 1'],
    ['without a value', () => Buffer.alloc(0), 'it is no record of an utterance'],
    ['of zeros', () => Buffer.alloc(1 << 20), 'it is no record of an utterance'],
    ['that ends in its head', (value: Buffer) => value.subarray(0, 30), 'its head cannot be read'],
    ['whose head has no end', (value: Buffer) => withByte(value, 8, 255), 'its head cannot be read'],
    ['of utterance -1', () => writeHead({ ...head, utterance: -1 }), 'its head cannot be read'],
    ['of utterance 1.5', () => writeHead({ ...head, utterance: 1.5 }), 'its head cannot be read'],
    ['of a session of many lines', () => writeHead({ ...head, session: 'a\nb' }), 'its head cannot be read'],
    ['that has nothing but its head', () => writeHead(head), 'it ends too early'],
    ['that ends in its sound', (value: Buffer) => value.subarray(0, -40), 'it was changed, or is under'],
    ['of 1970', () => writeHead({ ...head, createdMs: 0, expiresMs: 2 ** 52 }), 'it ends too early'],
    [
      'that was changed',
      (value: Buffer) => Buffer.concat([value.subarray(0, -1), Buffer.from([value.at(-1)! ^ 1])]),
      'it was changed, or is under',
    ],
  ])('refuses a record %s aloud, and goes on with the next', async (_, change, reason) => {
    const { queue, handoff, worker } = place();
    const bad = await delivered(queue, handoff);
    const good = await delivered(queue, handoff, 2);
    const one = worker({ queue: queueOf(queue, [{ ...bad, value: change(Buffer.from(bad.value)) }, good]) });
    await one.run();
    await one.drain(1000);
    expect(queue.dead[0]!.headers['dead-reason']).toContain(reason);
    expect(one.counts).toMatchObject({ dead: 1, scored: 1 });
  });

  it('scores the record of a gateway, though others in its name lie in front of it and behind', async () => {
    const { queue, results, handoff, worker } = place();
    const good = await delivered(queue, handoff);
    const value = Buffer.from(good.value);
    const another = {
      ...good,
      place: '0:8',
      value: await sealRecord(readHead(value).head, handedUtterance(99), newDataKey()),
    };
    const short = { ...good, place: '0:7', value: value.subarray(0, -3) };
    const one = worker({ queue: queueOf(queue, [short, another, good, short, good]), atOnce: 1 });
    await one.run();
    await one.drain(1000);
    expect(one.counts).toMatchObject({ scored: 1, dead: 2, known: 2 });
    expect(await results.read('s')).toMatchObject({ utterances: [{ state: 'done', value: '{"of":"s 1"}' }] });
  });

  it('puts aside what stands for a record that nobody can unpack, with why', async () => {
    const { queue, handoff, worker } = place();
    const good = await delivered(queue, handoff);
    const standIn = { ...good, place: '0:9', headers: { unreadable: 'its batch is a bomb' } };
    const one = worker({ queue: queueOf(queue, [standIn, good]) });
    await one.run();
    await one.drain(1000);
    expect(one.counts).toMatchObject({ scored: 1, dead: 1 });
    expect(queue.dead[0]!.headers).toEqual({ 'dead-reason': 'its batch is a bomb', 'dead-from': '0:9' });
  });

  it('leaves alone what another region may hear', async () => {
    const { queue, handoff, worker } = place();
    const delivery = await delivered(queue, handoff);
    const one = worker({ region: 'eu', queue: queueOf(queue, [delivery]) });
    await one.run();
    await one.drain(1000);
    expect(queue.dead[0]!.headers['dead-reason']).toBe('it is of region "", and this worker of "eu"');
  });

  it('scores nothing of a session whose key was shredded', async () => {
    const { queue, results, handoff, worker } = place();
    const delivery = await delivered(queue, handoff);
    await results.erase('s', 60_000);
    const one = worker({ queue: queueOf(queue, [delivery]), score: () => expect.unreachable() });
    await one.run();
    await one.drain(1000);
    expect(one.counts).toMatchObject({ gone: 1, scored: 0 });
    expect(queue.dead).toEqual([]);
  });

  it('scores nothing that is older than sound is kept, and its learner is told', async () => {
    const { queue, results, handoff, worker, pass } = place();
    const delivery = await delivered(queue, handoff);
    pass(600_000 - 1);
    await results.expect(
      { sessionId: 's', utteranceId: 9, tokenHash: 't', owner: undefined, dataKey: 'k', eventId: 9 },
      600_000,
    );
    pass(2);
    const one = worker({ queue: queueOf(queue, [delivery]), score: () => expect.unreachable() });
    await one.run();
    await one.drain(1000);
    expect(one.counts.expired).toBe(1);
    const found = await results.read('s');
    expect(found).toMatchObject({ utterances: [{ utteranceId: 1, state: 'failed' }, { state: 'pending' }] });
  });

  it('waits for a store that is away, and counts that as no try', async () => {
    const { queue, results, handoff, worker } = place();
    const delivery = await delivered(queue, handoff);
    let away = 9;
    const flaky: ResultStore = {
      isUp: true,
      expect: (handed, ttlMs) => results.expect(handed, ttlMs),
      begin: (of) => (away-- > 0 ? Promise.reject(new StoreError('timeout', 'away')) : results.begin(of)),
      finish: (of, outcome, ttlMs) => results.finish(of, outcome, ttlMs),
      read: (sessionId) => results.read(sessionId),
      erase: (sessionId, ttlMs) => results.erase(sessionId, ttlMs),
      onUp() {},
      close: async () => {},
    };
    const one = worker({ results: flaky, queue: queueOf(queue, [delivery]) });
    await one.run();
    await expect.poll(() => one.going).toBe(0);
    expect(one.counts).toMatchObject({ scored: 1, dead: 0 });
  });

  it('takes no more than it was allowed at once, and nothing more once it drains', async () => {
    const { queue, handoff, worker } = place();
    let going = 0;
    let most = 0;
    const ends: (() => void)[] = [];
    const one = worker({
      atOnce: 2,
      score: async () => {
        most = Math.max(most, ++going);
        await new Promise<void>((resolve) => ends.push(resolve));
        going -= 1;
        return {};
      },
    });
    for (let id = 0; id < 5; id += 1) handoff.hand(handingSession('s'), lateFinal(id), handedUtterance(16));
    void one.run();
    await expect.poll(() => ends.length).toBe(2);
    ends[0]!();
    await expect.poll(() => ends.length).toBe(3);
    const drained = one.drain(10_000);
    for (const end of ends) end();
    expect(await drained).toEqual({ left: 0 });
    expect([most, one.counts.scored]).toEqual([2, 3]);
    await queue.close();
  });
});

it('comes to every partition, though all wait for one place', async () => {
  const { queue, handoff, worker } = place();
  const deliveries: Delivery[] = [];
  for (let id = 1; id <= 6; id += 1) deliveries.push(await delivered(queue, handoff, id));
  const partitions = queueOf(queue, deliveries);
  partitions.consume = async (handle) => void (await Promise.all(deliveries.map(handle)));
  const one = worker({ queue: partitions, atOnce: 1 });
  void one.run();
  await expect.poll(() => one.counts.scored).toBe(6);
});

const head = { session: 's', utterance: 1, region: '', model: 'm 1', createdMs: 1, expiresMs: 2e12 };

function withByte(value: Buffer, at: number, byte: number): Buffer {
  return Buffer.concat([value.subarray(0, at), Buffer.of(byte), value.subarray(at + 1)]);
}

/** Hands an utterance of session `s` over, and takes it out of the queue. */
async function delivered(queue: MemoryQueue, handoff: Handoff, utterance = 1): Promise<Delivery> {
  const appended: Delivery[] = [];
  const spy = queue.append.bind(queue);
  queue.append = async (record) => void appended.push({ ...record, place: `0:${utterance}`, appendedMs: 0 });
  handoff.hand(handingSession('s'), lateFinal(utterance), handedUtterance());
  await expect.poll(() => appended.length).toBe(1);
  queue.append = spy;
  return appended[0]!;
}

/** A queue that delivers these, and puts aside where the other does. */
function queueOf(queue: MemoryQueue, deliveries: readonly Delivery[]): HandoffWorkerOptions['queue'] {
  return {
    append: (record) => queue.append(record),
    async consume(handle) {
      for (const delivery of deliveries) await handle(delivery);
    },
    commit: (delivery) => queue.commit(delivery),
    deadLetter: (delivery, reason) => queue.deadLetter(delivery, reason),
    close: () => queue.close(),
  };
}
