import { afterEach, describe, expect, it, vi } from 'vitest';
import { writeFrames } from '../../../src/acoustic/worker/frame-records.ts';
import type { UtterancePipeline } from '../../../src/scoring/pipeline.ts';
import { resolveReference } from '../../../src/scoring/text/reference.ts';
import { fromScoringKinds, toScoringKinds } from '../../../src/scoring/threads/messages.ts';
import { ScoringThreads } from '../../../src/scoring/threads/pool.ts';
import { ScoringDesk } from '../../../src/scoring/threads/scoring-desk.ts';
import { Exchange, type Member } from '../../../src/threads/exchange.ts';
import { newLinkEnds, ThreadLink } from '../../../src/threads/thread-link.ts';
import { cut, framesOf, read, scriptedEngine, utter } from '../../kit/speech.ts';

const reference = resolveReference({ text: 'the number you have dialed' });
const script = framesOf(utter('SIL 12', read('the number you have dialed', 5), 'SIL 20'), 0.85);
const { model } = scriptedEngine(script);
/** 80 ms of look-ahead are in before the first frame: the first feedback comes with it, then each five frames. */
const emitIntervalMs = 100;

describe('a scoring thread', () => {
  it('wakes whoever waits for feedback, and nobody to say how far it is', async () => {
    const ends = newLinkEnds(2 ** 18, 2 ** 18);
    const woken = vi.fn();
    const own = new ThreadLink(ends.own, woken);
    const desk = new ScoringDesk(model, ends.worker, () => {});
    own.post({ key: 0, reference });
    const at = own.begin(toScoringKinds.opened, 7 * 8);
    own.memory.float64.set([0, 0, 0, emitIntervalMs, 0, 3, 0], at / 8);
    own.commit();
    const wakes: [number, string][] = [];
    for (let frame = 0; frame < 12; frame++) {
      woken.mockClear();
      expect(own.sleep()).toBe(true);
      writeFrames(own, toScoringKinds.frames, 0, cut(script, frame, frame + 1), 0);
      while (desk.work(1000));
      // A message between two ends of a port comes in a turn of its own.
      await new Promise(setImmediate);
      await new Promise(setImmediate);
      const said: string[] = [];
      own.read(
        ({ kind }) => said.push(kind === fromScoringKinds.feedback ? 'feedback' : 'said'),
        () => {},
      );
      wakes.push([woken.mock.calls.length, said.join(' ')]);
    }
    const quiet = [0, 'said'];
    const told = [1, 'feedback said'];
    expect(wakes).toEqual([told, quiet, quiet, quiet, quiet, told, quiet, quiet, quiet, quiet, told, quiet]);
    own.close();
  });
});

/** An exchange whose rounds come when they are called for. */
class Rounds extends Exchange {
  #member: Member | undefined;
  override join(member: Member): void {
    this.#member = member;
  }
  override soon(): void {}
  override woken(): void {}
  round(): void {
    this.#member?.collect();
    this.#member?.send();
  }
}

describe('the thread of the sockets', () => {
  let threads: ScoringThreads | undefined;
  afterEach(() => threads?.close());

  it('lets frames wait that bring no feedback, and has them scored when nothing follows', async () => {
    const exchange = new Rounds();
    const sent = vi.spyOn(ThreadLink.prototype, 'wake');
    threads = new ScoringThreads({ model, threads: 1, exchange });
    const heard: number[] = [];
    const onFeedback = ({ audioMs }: { audioMs: number }) => void heard.push(audioMs);
    const onError = (error: Error) => expect.unreachable(error.message);
    const open = (): UtterancePipeline =>
      threads!.openUtterance(scriptedEngine(script, 1), reference, { emitIntervalMs }, { onFeedback, onError });
    const pipeline = open();
    const push = (frames: number): void => {
      for (let i = 0; i < frames; i++) pipeline.push(new Float32Array(320));
      exchange.round();
    };
    const afterRounds = <Value>(look: () => Value) =>
      expect.poll(() => {
        exchange.round();
        return look();
      });
    // The model's look-ahead gives no frames.
    push(4 + 1);
    await afterRounds(() => heard).toEqual([100]);
    await afterRounds(() => threads!.stats().silentMs).toBe(0);
    sent.mockClear();
    push(4);
    expect(sent).not.toHaveBeenCalled();
    expect(threads.stats().silentMs).toBe(0);
    await afterRounds(() => sent.mock.calls.length).toBeGreaterThan(0);
    push(1);
    await afterRounds(() => heard).toEqual([100, 200]);
    await afterRounds(() => threads!.stats().silentMs).toBe(0);
    pipeline.close();
  });
});
