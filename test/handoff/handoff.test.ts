import { describe, expect, it } from 'vitest';
import { Handoff, type HandoffOptions } from '../../src/handoff/handoff.ts';
import { readHead } from '../../src/handoff/record.ts';
import { MemoryQueue } from '../../src/queue/memory-queue.ts';
import { QueueError, type QueueRecord, type QueueTrouble } from '../../src/queue/work-queue.ts';
import { MemoryResultStore } from '../../src/stores/memory-result-store.ts';
import { StoreError } from '../../src/stores/session-store.ts';
import { handedUtterance, handingSession, lateFinal, readableLog } from './kit.ts';

/** A way into a queue that fails as often as `troubles` says; pauses take no time but on the clock. */
function opened(changes: Partial<HandoffOptions> = {}, troubles: (QueueTrouble | 'store')[] = []) {
  let nowMs = 1_000_000;
  const memory = new MemoryQueue(() => nowMs);
  const appended: QueueRecord[] = [];
  const results = new MemoryResultStore(() => nowMs);
  const { log, said } = readableLog();
  const queue = {
    async append(record: QueueRecord): Promise<void> {
      const trouble = troubles.shift();
      if (trouble === 'store') throw new StoreError('timeout', 'the store does not answer');
      if (trouble) throw new QueueError(trouble, 'Kafka does not answer');
      appended.push(record);
      await memory.append(record);
    },
  };
  const handoff = new Handoff({
    queue,
    results,
    region: '',
    keepMs: 60_000,
    maxSoundBytes: 1_000_000,
    maxOutboxBytes: 10_000,
    log,
    wallMs: () => nowMs,
    pause: async (ms) => {
      nowMs += ms;
    },
    ...changes,
  });
  const of = (): number[] => appended.map(({ value }) => readHead(value).head.utterance);
  return { handoff, results, appended, said, of, pass: (ms: number) => (nowMs += ms) };
}

const session = handingSession('s');

describe('the way of an utterance into the queue', () => {
  it('goes by its session, once its learner can find out that it is to come', async () => {
    const { handoff, results, appended } = opened();
    handoff.hand(session, lateFinal(3), handedUtterance());
    await handoff.close(1000);
    expect(appended[0]).toMatchObject({ key: 's' });
    expect(readHead(appended[0]!.value).head).toMatchObject({ session: 's', utterance: 3, model: 'm 1' });
    expect(await results.read('s')).toMatchObject({ utterances: [{ utteranceId: 3, state: 'pending' }] });
    expect(handoff.numbers).toMatchObject({ waiting: 0, waitingBytes: 0, outcomes: { handed: 1 } });
  });

  it.each([['unreachable'], ['failed'], ['no_topic'], ['store']] as const)(
    'waits while it is %s, and loses nothing',
    async (trouble) => {
      const { handoff, of } = opened({ maxOutboxBytes: 1e6 }, Array(7).fill(trouble));
      for (let id = 1; id <= 5; id += 1) handoff.hand(session, lateFinal(id), handedUtterance());
      await handoff.close(1000);
      expect(of()).toEqual([1, 2, 3, 4, 5]);
      expect(handoff.numbers.outcomes).toMatchObject({ handed: 5, overflow: 0 });
    },
  );

  it('drops the oldest aloud when more waits than fits, but not the one on its way', async () => {
    const { handoff, of, said } = opened({ maxOutboxBytes: 5000 }, Array(3).fill('unreachable'));
    for (let id = 1; id <= 6; id += 1) handoff.hand(session, lateFinal(id), handedUtterance());
    expect(handoff.numbers.waitingBytes).toBeLessThanOrEqual(5000);
    await handoff.close(1000);
    expect(of()).toEqual([1, 5, 6]);
    expect(handoff.numbers.outcomes).toMatchObject({ handed: 3, overflow: 3 });
    expect(said).toContain('an utterance is not scored later: too much waits for the queue, which does not answer');
  });

  it('gives up what the queue does not take, and goes on with the next', async () => {
    const { handoff, of, said } = opened({}, ['too_large']);
    for (const id of [1, 2]) handoff.hand(session, lateFinal(id), handedUtterance());
    await handoff.close(1000);
    expect(of()).toEqual([2]);
    expect(said.at(-1)).toBe('an utterance is not scored later: the queue does not take it');
  });

  it('gives up what is too old by the time that the queue answers', async () => {
    const { handoff, of } = opened({ keepMs: 300 }, Array(4).fill('unreachable'));
    handoff.hand(session, lateFinal(1), handedUtterance());
    await handoff.close(1000);
    expect(of()).toEqual([]);
    expect(handoff.numbers.outcomes).toMatchObject({ expired: 1 });
  });

  it('hands over nothing of a session that was erased', async () => {
    const { handoff, results, of } = opened();
    await results.erase('s', 60_000);
    handoff.hand(session, lateFinal(1), handedUtterance());
    handoff.keep(session, lateFinal(2), { type: 'utterance_final' });
    await handoff.close(1000);
    expect(of()).toEqual([]);
    expect(handoff.numbers.outcomes).toMatchObject({ erased: 2 });
    expect(await results.read('s')).toMatchObject({ kind: 'gone', why: 'erased' });
  });

  it('keeps a final that was not read where its learner finds it', async () => {
    const { handoff, results, of } = opened();
    handoff.keep(session, lateFinal(2), { type: 'utterance_final', utterance_id: 2 });
    await handoff.close(1000);
    expect(of()).toEqual([]);
    const value = '{"type":"utterance_final","utterance_id":2,"late":true}';
    expect(await results.read('s')).toMatchObject({ utterances: [{ utteranceId: 2, state: 'done', value }] });
  });
});
