import { expect, it } from 'vitest';
import { Controls } from '../../src/client/controls.ts';

const types = (controls: Controls) => controls.pending().map(({ text }) => JSON.parse(text).type);

it('an utterance that is final has been finalized, but the next one may not have begun', () => {
  const controls = reading();
  controls.settled(1);
  expect(types(controls)).toEqual(['next_utterance', 'finalize']);
});

it('a server that resumes at an utterance knows of it, but perhaps not of its end', () => {
  const controls = reading();
  controls.resumedAt(8);
  expect(types(controls)).toEqual(['finalize']);
});

it('what the server has not reached is kept, each before the frame that it belongs to', () => {
  const controls = reading();
  controls.resumedAt(7);
  expect(types(controls)).toEqual(['finalize', 'next_utterance', 'finalize']);
  expect(controls.pending().map(({ afterSeq }) => afterSeq)).toEqual([50, 50, 90]);
});

/** Two utterances, the server's 7 and 8, with nothing acted on. */
function reading(): Controls {
  const controls = new Controls();
  controls.firstUtteranceIs(7);
  controls.add({ type: 'finalize', marker: 'a' }, 50);
  controls.beginUtterance();
  controls.add({ type: 'next_utterance', reference: { text: 'b' } }, 50);
  controls.add({ type: 'finalize', marker: 'b' }, 90);
  return controls;
}
