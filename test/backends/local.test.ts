import { expect, it } from 'vitest';
import type { HearingEvents, HearingInput } from '../../src/backends/backend.ts';
import { localBackend } from '../../src/backends/local.ts';

const input: HearingInput = { session: 's1', language: 'en', sampleRateHz: 16_000, reference: 'a b' };

/** A session's pipeline, as far as its transcript goes. */
function pipeline() {
  const done: string[] = [];
  const events: HearingEvents[] = [];
  const backend = localBackend('own', ({ session }, on) => {
    done.push(`open ${session}`);
    events.push(on);
    return {
      push: (pcm, startMs) => done.push(`push ${pcm.length} at ${startMs}`),
      utteranceOver: () => done.push('over'),
      next: (reference) => done.push(`next ${reference}`),
      close: () => done.push('close'),
    };
  });
  return { backend, done, events };
}

function listener() {
  const told: string[] = [];
  const on: HearingEvents = {
    onReady: () => told.push('ready'),
    onText: ({ text, isFinal }) => told.push(`${isFinal ? 'final' : 'text'} ${text}`),
    onError: ({ message }) => told.push(`error ${message}`),
  };
  return { told, on };
}

it('hands on what the session does, and what its transcript says', () => {
  const { backend, done, events } = pipeline();
  const { told, on } = listener();
  const hearing = backend.open(input, on);
  hearing.push(new Int16Array(320), 0);
  events[0]!.onText({ utterance: 0, text: 'a', settled: 0, isFinal: false });
  hearing.utteranceOver();
  events[0]!.onText({ utterance: 0, text: 'a b', settled: 3, isFinal: true });
  hearing.next('c');
  hearing.close();
  expect(done).toEqual(['open s1', 'push 320 at 0', 'over', 'next c', 'close']);
  expect(told).toEqual(['ready', 'text a', 'final a b']);
});

it.each(['close of the hearing', 'close of the backend', 'error'])('does nothing behind the %s', async (how) => {
  const { backend, done, events } = pipeline();
  const { told, on } = listener();
  const hearing = backend.open(input, on);
  if (how === 'error') events[0]!.onError({ class: 'fault', message: 'the model is gone' });
  else if (how === 'close of the hearing') hearing.close();
  else await backend.close();
  hearing.push(new Int16Array(320), 0);
  hearing.utteranceOver();
  hearing.next();
  hearing.close();
  events[0]!.onText({ utterance: 0, text: 'late', settled: 0, isFinal: true });
  expect(done).toEqual(how === 'error' ? ['open s1'] : ['open s1', 'close']);
  expect(told).toEqual(how === 'error' ? ['error the model is gone'] : []);
});
