import { expect, it } from 'vitest';
import type { HandedUtterance } from '../../src/handoff/record.ts';
import { type HandedScoring, scoreHanded } from '../../src/handoff/score-handed.ts';
import { scriptedEngine, scriptedScoring } from '../kit/server/scripted.ts';
import { handedUtterance } from './kit.ts';

const name = { session: 's', utterance: 3 };

it('makes the final that the learner would have had, on the clock of its session', async () => {
  const sound = [new Int16Array(16_000), { gapMs: 250 }, new Int16Array(8000)];
  const final = await scoreHanded(scoring(), name, handedUtterance(0, { sound, marker: 'm', reason: 'close' }));
  expect(final).toMatchObject({
    type: 'utterance_final',
    utterance_id: 3,
    audio_ms: 1200 + 1750,
    reason: 'close',
    marker: 'm',
    late: true,
    model: { name: 'scripted', version: '0' },
    heard: 'text',
  });
  expect((final as { words: { start_ms: number }[] }).words[0]!.start_ms).toBe(1200);
});

it('goes behind those who speak, and says so to the scoring', async () => {
  const asked: unknown[] = [];
  const open: HandedScoring['openUtterance'] = (engine, reference, settings, events) => {
    asked.push(settings);
    return scriptedScoring.openUtterance(engine, reference, settings, events);
  };
  await scoreHanded({ ...scoring(), openUtterance: open }, name, handedUtterance());
  expect(asked).toMatchObject([{ canWait: true, speaker: 's 3' }]);
});

it.each([['a text without a word', { reference: { text: '1 2' } }, '"1 2" holds no word']] as [
  string,
  Partial<HandedUtterance>,
  string,
][])('refuses %s', async (_, changes, message) => {
  await expect(scoreHanded(scoring(), name, handedUtterance(320, changes))).rejects.toThrow(message);
});

it('fails when the model does, while sound is pushed or at the end, and closes what was opened', async () => {
  for (const failing of ['push', 'finish'] as const) {
    let closed = 0;
    const open: HandedScoring['openUtterance'] = (_engine, _reference, _settings, events) => ({
      push: () => void (failing === 'push' && events.onError(new Error('the model died'))),
      gap() {},
      finish: () => {
        events.onError(new Error('the model died'));
        return new Promise(() => {});
      },
      close() {
        closed += 1;
      },
    });
    const scored = scoreHanded({ ...scoring(), openUtterance: open }, name, handedUtterance());
    await expect(scored).rejects.toThrow('the model died');
    expect(closed).toBe(1);
  }
});

function scoring(): HandedScoring {
  const { readReference, openUtterance } = scriptedScoring;
  return { engine: () => scriptedEngine(), readReference, openUtterance };
}

it('is never far ahead of the model where that is wanted', async () => {
  let pushedMs = 0;
  let most = 0;
  let heardMs = 0;
  const open: HandedScoring['openUtterance'] = (engine, reference, settings, events) => {
    const scored = scriptedScoring.openUtterance(engine, reference, settings, {
      onError: events.onError,
      onFeedback(feedback) {
        // The model takes its time.
        setImmediate(() => {
          heardMs = feedback.audioMs;
          events.onFeedback?.(feedback);
        });
      },
    });
    const push = (pcm: Int16Array | Float32Array): void => {
      pushedMs += pcm.length / 16;
      most = Math.max(most, pushedMs - heardMs);
      scored.push(pcm);
    };
    return { push, gap: (ms) => scored.gap(ms), finish: () => scored.finish(), close: () => scored.close() };
  };
  const sound = Array.from({ length: 30 }, () => new Int16Array(16_000));
  const paced = { ...scoring(), openUtterance: open, pace: async () => {} };
  expect(await scoreHanded(paced, name, handedUtterance(0, { sound }))).toMatchObject({ audio_ms: 31_200 });
  expect(most).toBeGreaterThan(0);
  expect(most).toBeLessThanOrEqual(3100);
});
