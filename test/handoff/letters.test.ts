import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Handoff } from '../../src/handoff/handoff.ts';
import { HandoffWorker, type HandoffWorkerOptions } from '../../src/handoff/handoff-worker.ts';
import { findLetter, findLetters, replayLetters } from '../../src/handoff/letters.ts';
import type { DeadLetters } from '../../src/queue/dead-letter.ts';
import { MemoryQueue } from '../../src/queue/memory-queue.ts';
import { QueueError } from '../../src/queue/work-queue.ts';
import { MemoryResultStore } from '../../src/stores/memory-result-store.ts';
import { handedUtterance, handingSession, lateFinal, silentLog } from './kit.ts';

/** A gateway, a queue and workers, with what was put aside; pauses take no time but on the clock. */
function place() {
  let nowMs = 1_000_000;
  const queue = new MemoryQueue(() => nowMs);
  const results = new MemoryResultStore(() => nowMs);
  const pass = (ms: number): void => {
    nowMs += ms;
  };
  const pause = async (ms: number): Promise<void> => pass(ms);
  const common = { queue, results, region: '', keepMs: 600_000, wallMs: () => nowMs, pause, log: silentLog };
  const handoff = new Handoff({ ...common, maxSoundBytes: 1e6, maxOutboxBytes: 1e7 });
  let score: HandoffWorkerOptions['score'] = async () => ({});
  const worker = new HandoffWorker({
    ...{ ...common, atOnce: 1, tries: 3, random: () => 0.5 },
    score: (...given) => score(...given),
  });
  void worker.run();
  const settled = () => expect.poll(() => queue.size + handoff.numbers.waiting).toBe(0);
  return {
    ...{ queue, results, worker, settled, box: queue.letters() },
    now: () => nowMs,
    pass,
    scoreBy(given: HandoffWorkerOptions['score']): void {
      score = given;
    },
    async hand(session: string, ...utterances: number[]): Promise<void> {
      for (const id of utterances) handoff.hand(handingSession(session), lateFinal(id), handedUtterance(16));
      await settled();
    },
  };
}

/** Letters by their partition and when they died; `turn` has the partitions read in another order. */
function boxOf(lying: readonly (readonly [number, number])[]): DeadLetters & { turn(): void } {
  const offsets = [0, 0, 0, 0];
  const letters = lying.map(([partition, appendedMs]) => {
    const place = `${partition}:${offsets[partition]!++}`;
    return { key: 's', value: Buffer.from(''), headers: { 'dead-reason': 'it is odd' }, place, appendedMs };
  });
  letters.sort((one, other) => Number(one.place.split(':')[0]) - Number(other.place.split(':')[0]));
  return {
    async read(visit) {
      for (const letter of letters) await visit(letter);
    },
    replay: () => expect.unreachable(),
    close: async () => {},
    turn: () => void letters.reverse(),
  };
}

const fails = () => Promise.reject(new Error('the model died'));
const all = { most: 100 };

describe('dead letters', () => {
  it('are each on one page, and in order, however many partitions and letters of one moment there are', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(3), fc.nat(2)), { maxLength: 40 }),
        fc.integer({ min: 1, max: 7 }),
        fc.infiniteStream(fc.nat(1)),
        async (lying, most, turns) => {
          const box = boxOf(lying);
          const pages: string[][] = [];
          for (let before: string | undefined; ; before = pages[0]![0]) {
            // No reading has the partitions in the order of another.
            if (turns.next().value === 1) box.turn();
            const found = (await findLetters(box, { most, before }, 0))!;
            if (found.letters.length === 0) break;
            pages.unshift(found.letters.map(({ id }) => id));
            expect(found.older).toBe(lying.length - pages.flat().length);
          }
          const all = (await findLetters(box, { most: 100 }, 0))!.letters;
          expect(pages.flat()).toEqual(all.map(({ id }) => id));
          expect(new Set(pages.flat()).size).toBe(lying.length);
        },
      ),
    );
  });

  it('has none before one that is not there', async () => {
    expect(await findLetters(boxOf([[0, 1]]), { most: 9, before: '0:7' }, 0)).toBeUndefined();
  });

  it('are listed with why, whose and how often they were tried, and nothing of the text', async () => {
    const { box, hand, scoreBy, queue, now } = place();
    scoreBy(fails);
    await hand('s', 1, 2);
    await queue.append({ key: 'x', value: Buffer.from('rubbish'), headers: {} });
    await expect.poll(() => queue.dead.length).toBe(3);
    const { letters, older } = (await findLetters(box, all, now()))!;
    expect(older).toBe(0);
    expect(letters).toMatchObject([
      { id: '0:0', reason: 'the model died', tries: 3, from: '0:0', head: { session: 's', utterance: 1 } },
      { id: '0:1', reason: 'the model died', tries: 3, from: '0:1', head: { session: 's', utterance: 2 } },
      { id: '0:2', reason: 'it is no record of an utterance', tries: undefined, head: undefined, bytes: 7 },
    ]);
    expect(JSON.stringify(letters)).not.toContain('cat');
    expect(await findLetter(box, '0:1', now())).toEqual(letters[1]);
    expect(await findLetter(box, '0:9', now())).toBeUndefined();
  });

  it.each([
    ['the newest, of more than are wanted', { most: 2 }, ['0:3', '0:4'], 3],
    ['one alone', { most: 1 }, ['0:4'], 4],
    ['all, where there are fewer', { most: 9 }, ['0:0', '0:1', '0:2', '0:3', '0:4'], 0],
    ['those of a reason', { most: 9, reason: 'odd' }, ['0:1', '0:3'], 0],
    ['none, of a reason that none has', { most: 9, reason: 'nothing' }, [], 0],
  ])('are found: %s', async (_, query, ids, older) => {
    const { box, queue, now, pass } = place();
    for (let at = 0; at < 5; at += 1) {
      const delivery = { key: 's', value: Buffer.from(''), headers: {}, place: `3:${at}`, appendedMs: 0 };
      await queue.deadLetter(delivery, at % 2 ? 'it is odd' : 'it is even');
      pass(1);
    }
    const found = (await findLetters(box, query, now()))!;
    expect(found.letters.map(({ id }) => id)).toEqual(ids);
    expect(found.older).toBe(older);
  });

  it('are scored after a replay, and their learner reads the final', async () => {
    const { box, hand, scoreBy, results, settled, now } = place();
    scoreBy(fails);
    await hand('s', 1, 2);
    scoreBy(async ({ utterance }) => ({ of: utterance }));
    expect(await replayLetters(box, { id: '0:1' }, now())).toEqual({ replayed: ['0:1'], already: 0, expired: 0 });
    await settled();
    expect(await results.read('s')).toMatchObject({
      utterances: [{ state: 'failed' }, { utteranceId: 2, state: 'done', value: '{"of":2}' }],
    });
    const { letters } = (await findLetters(box, all, now()))!;
    expect(letters.map(({ replayedMs }) => replayedMs !== undefined)).toEqual([false, true]);
  });

  it('are replayed once, however often that is asked for', async () => {
    const { box, hand, scoreBy, queue, settled, now, worker } = place();
    scoreBy(fails);
    await hand('s', 1, 2, 3);
    scoreBy(async () => ({}));
    expect((await replayLetters(box, { id: '0:0' }, now())).already).toBe(0);
    expect(await replayLetters(box, { id: '0:0' }, now())).toEqual({ replayed: [], already: 1, expired: 0 });
    expect(await replayLetters(box, {}, now())).toEqual({ replayed: ['0:1', '0:2'], already: 1, expired: 0 });
    expect(await replayLetters(box, {}, now())).toEqual({ replayed: [], already: 3, expired: 0 });
    await settled();
    expect(worker.counts).toMatchObject({ scored: 3, known: 0, dead: 3 });
    expect(queue.dead).toHaveLength(6);
  });

  it('are scored once, if who replays them dies before that is noted', async () => {
    const { box, hand, scoreBy, settled, now, queue, worker } = place();
    scoreBy(fails);
    await hand('s', 1);
    let scored = 0;
    scoreBy(async () => {
      scored += 1;
      return {};
    });
    await replayLetters(box, {}, now());
    queue.dead.pop();
    expect((await replayLetters(box, {}, now())).replayed).toEqual(['0:0']);
    await settled();
    expect([scored, worker.counts.scored, worker.counts.known]).toEqual([1, 1, 1]);
  });

  it('have all their tries once more, and become new letters when those fail too', async () => {
    const { box, hand, scoreBy, settled, now, queue } = place();
    let tried = 0;
    scoreBy(() => {
      tried += 1;
      return fails();
    });
    await hand('s', 1);
    await replayLetters(box, {}, now());
    await settled();
    expect(tried).toBe(6);
    const { letters } = (await findLetters(box, all, now()))!;
    expect(letters.map(({ id, tries, replayedMs }) => [id, tries, replayedMs !== undefined])).toEqual([
      ['0:0', 3, true],
      ['0:2', 3, false],
    ]);
    expect(Object.keys(queue.dead[2]!.headers)).not.toContain('replay-of');
    expect((await replayLetters(box, {}, now())).replayed).toEqual(['0:2']);
  });

  it('are left alone when their sound is kept no longer', async () => {
    const { box, hand, scoreBy, now, pass, queue } = place();
    scoreBy(fails);
    await hand('s', 1);
    pass(600_000);
    expect(await replayLetters(box, {}, now())).toEqual({ replayed: [], already: 0, expired: 1 });
    expect((await findLetter(box, '0:0', now()))!.isExpired).toBe(true);
    expect(queue.dead).toHaveLength(1);
  });

  it('that are larger than the work takes keep none of the others back', async () => {
    const { box, hand, scoreBy, now } = place();
    scoreBy(fails);
    await hand('s', 1, 2);
    const replay: DeadLetters['replay'] = async (letter) => {
      if (letter.place === '0:0') throw new QueueError('too_large', 'the record is larger than max.message.bytes');
      await box.replay(letter);
    };
    const report = await replayLetters({ ...box, replay }, {}, now());
    expect(report).toEqual({ replayed: ['0:1'], already: 0, expired: 0, tooLarge: 1 });
  });

  it('of a reason are replayed alone', async () => {
    const { box, hand, scoreBy, now } = place();
    scoreBy(({ utterance }) => Promise.reject(new Error(utterance % 2 ? 'odd' : 'even')));
    await hand('s', 1, 2, 3);
    expect((await replayLetters(box, { reason: 'odd' }, now())).replayed).toEqual(['0:0', '0:2']);
  });
});
