import { afterEach, describe, expect, it } from 'vitest';
import { type OpenUtterance, openUtterance } from '../../../src/scoring/pipeline.ts';
import { type Reference, resolveReference } from '../../../src/scoring/text/reference.ts';
import { ScoringThreads } from '../../../src/scoring/threads/pool.ts';
import type { Feedback } from '../../../src/scoring/utterance-scorer.ts';
import { framesOf, read, scriptedEngine, utter } from '../../kit/speech.ts';

const text = 'the number you have dialed';
const heard = utter('SIL 12', read('the number you', 5), 'SIL 15', read('have dialed', 6), 'SIL 20');
const script = framesOf(heard, 0.85);
const samplesPerFrame = 320;

let threads: ScoringThreads | undefined;
afterEach(async () => {
  await threads?.close();
  threads = undefined;
});

/** Reads the text through an engine that hears `heard`, with `lostMs` of the sound gone after a second. */
async function speak(open: OpenUtterance, { lostMs = 0 } = {}) {
  const feedback: Feedback[] = [];
  const pipeline = open(
    scriptedEngine(script, 5),
    resolveReference({ text }),
    { emitIntervalMs: 100 },
    {
      onFeedback: (event) => feedback.push(event),
      onError: (error) => {
        throw error;
      },
    },
  );
  pipeline.push(new Float32Array(50 * samplesPerFrame));
  if (lostMs > 0) pipeline.gap(lostMs);
  pipeline.push(new Float32Array((heard.length - 50 - lostMs / 20) * samplesPerFrame));
  const { timing, ...result } = await pipeline.finish();
  return { result, timing, feedback: feedback.map(({ timing: _, ageMs: __, ...said }) => said) };
}

describe('scoring on threads of its own', () => {
  it.each([
    ['a whole reading', { lostMs: 0 }],
    ['a reading with lost sound', { lostMs: 300 }],
  ])('says of %s what scoring on the same thread says', async (_, lost) => {
    threads = new ScoringThreads({ model: scriptedEngine(script).model, threads: 1 });
    const [here, there] = [await speak(openUtterance, lost), await speak(threads.openUtterance, lost)];
    expect(there.result).toEqual(here.result);
    expect(there.feedback).toEqual(here.feedback);
    expect(there.timing.scoring).toBeGreaterThan(0);
    expect(there.timing.queue).toBeGreaterThan(0);
  });

  it('keeps many utterances apart, over several threads', async () => {
    threads = new ScoringThreads({ model: scriptedEngine(script).model, threads: 3 });
    const { openUtterance: open } = threads;
    const alone = await speak(openUtterance);
    const all = await Promise.all(Array.from({ length: 20 }, () => speak(open)));
    for (const one of all) expect(one.result).toEqual(alone.result);
    expect(threads.stats().waitP95Ms).toBeGreaterThan(0);
  });

  it('goes on after it was told to collect its garbage', async () => {
    threads = new ScoringThreads({ model: scriptedEngine(script).model, threads: 1 });
    const before = await speak(threads.openUtterance);
    threads.tidy();
    const after = await speak(threads.openUtterance);
    expect(after.result).toEqual(before.result);
  });

  it('refuses a reference that the model cannot read at once', () => {
    threads = new ScoringThreads({ model: scriptedEngine(script).model, threads: 1 });
    const strange: Reference = { words: [{ text: 'x', variants: [['QQ']], source: 'given' }] };
    const open = () =>
      threads!.openUtterance(scriptedEngine(script), strange, { emitIntervalMs: 100 }, { onError: () => {} });
    expect(open).toThrow(expect.objectContaining({ code: 'invalid_reference' }));
  });

  it('fails the utterances of a thread that dies, and starts another', async () => {
    const deaths: string[] = [];
    const workerScript = new URL('crashing-worker.mjs', import.meta.url);
    threads = new ScoringThreads({
      model: scriptedEngine(script).model,
      threads: 1,
      workerScript,
      onCrash: (error) => deaths.push(error.message),
    });
    const { openUtterance: open } = threads;
    await expect(speak(open)).rejects.toMatchObject({
      code: 'scoring_crashed',
      message: 'the scoring thread died: out of memory',
    });
    expect(deaths).toEqual(['the scoring thread died: out of memory']);
    // While none lives, a reading is told so.
    const told = new Promise<Error>((onError) => {
      open(scriptedEngine(script), resolveReference({ text }), { emitIntervalMs: 100 }, { onError });
    });
    await expect(told).resolves.toMatchObject({ code: 'scoring_crashed' });
  });
});
