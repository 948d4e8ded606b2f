import { afterEach, describe, expect, it } from 'vitest';
import { type OpenUtterance, openUtterance, type UtterancePipeline } from '../../../src/scoring/pipeline.ts';
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

/** An engine that must not be asked for anything but its model. */
function silentEngine(): ReturnType<typeof scriptedEngine> {
  return { ...scriptedEngine(script), open: () => expect.unreachable('no sound ever came') };
}

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

  it.each([
    ['plain words', { text }],
    ['a number that is read in several ways', { text: "In 2024, 1/2 of Dr. Smith's 3,500 records had a PBX." }],
    ['a single word', { text: 'read' }],
    [
      'given phones',
      {
        words: [
          { text: 'hi', phones: ['HH', 'AY1'] },
          { text: 'ho', phones: ['HH', 'OW'] },
        ],
      },
    ],
  ])('says of a text that nobody reads what scoring on the same thread says: %s', async (_, source) => {
    threads = new ScoringThreads({ model: scriptedEngine(script).model, threads: 1 });
    const unread = async (open: OpenUtterance) => {
      const events = { onError: () => {} };
      const pipeline = open(silentEngine(), resolveReference(source), { emitIntervalMs: 100 }, events);
      const { timing: _, ...result } = await pipeline.finish();
      pipeline.push(new Float32Array(320));
      return result;
    };
    const result = await unread(threads.openUtterance);
    expect(JSON.stringify(result)).toBe(JSON.stringify(await unread(openUtterance)));
    expect(result.heard).toBe('nothing');
  });

  it('gives a healthy speaker its turns beside one with a backlog and large texts', async () => {
    threads = new ScoringThreads({ model: scriptedEngine(script).model, threads: 1 });
    const { openUtterance: open } = threads;
    const order: string[] = [];
    const engine = scriptedEngine(script, 5);
    const finish = (name: string, pipeline: UtterancePipeline) => pipeline.finish().then(() => order.push(name));
    const large = resolveReference({ text: Array.from({ length: 500 }, () => text.split(' ')[1]).join(' ') });
    const onError = (error: Error) => expect.unreachable(error.message);
    const speakWith = (speaker: string, reference: Reference) => {
      const onFeedback = () => void order.push(speaker);
      const pipeline = open(engine, reference, { emitIntervalMs: 100, speaker }, { onFeedback, onError });
      pipeline.push(new Float32Array(heard.length * samplesPerFrame));
      return pipeline;
    };
    const greedy = Array.from({ length: 40 }, () => finish('greedy final', speakWith('greedy', large)));
    await finish('healthy final', speakWith('healthy', resolveReference({ text })));
    const before = order.slice(0, order.indexOf('healthy final'));
    // All that the healthy one gets comes within its own few turns, and not behind the other's 40 utterances.
    expect(before.filter((name) => name === 'healthy').length).toBeGreaterThan(5);
    expect(before.filter((name) => name === 'greedy final').length).toBeLessThan(20);
    await Promise.all(greedy);
    expect(order.filter((name) => name === 'greedy final')).toHaveLength(40);
  });

  it('ends a thread that does not come back, and starts another', async () => {
    const deaths: string[] = [];
    const workerScript = new URL('hanging-worker.mjs', import.meta.url);
    const { model } = scriptedEngine(script);
    const onCrash = (error: Error) => deaths.push(error.message);
    threads = new ScoringThreads({ model, threads: 1, workerScript, hungMs: 900, onCrash });
    expect(threads.stats().silentMs).toBe(0);
    const reading = speak(threads.openUtterance);
    await expect.poll(() => threads!.stats().silentMs).toBeGreaterThan(100);
    await expect(reading).rejects.toMatchObject({ code: 'scoring_crashed' });
    expect(deaths).toEqual(['the scoring thread died: it said nothing for 900 ms']);
    await expect.poll(() => threads!.stats().silentMs).toBe(0);
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
      const settings = { emitIntervalMs: 100 };
      open(scriptedEngine(script), resolveReference({ text }), settings, { onError }).push(new Float32Array(320));
    });
    await expect(told).resolves.toMatchObject({ code: 'scoring_crashed' });
  });
});
