import { describe, expect, it } from 'vitest';
import { deepgram } from '../../src/dialects/deepgram.ts';
import type { Speaker } from '../../src/dialects/dialect.ts';
import { EncodedSound } from '../../src/dialects/sound.ts';

const dialect = deepgram({ sampleRateHz: 16_000, query: { model: 'nova-3', language: 'de' } });
const session = { sampleRateHz: 16_000, language: 'en-US', reference: { text: 'hello there' }, session: 's' };
const second = new EncodedSound({ pcm: new Uint8Array(32_000), sampleRateHz: 16_000 }, dialect.audio, 20);

function begin(): Speaker {
  const speaker = dialect.speaker(session);
  expect([speaker.readyAtOnce, speaker.opened()]).toEqual([true, []]);
  return speaker;
}

function speak(speaker: Speaker, frames = second.count): void {
  for (let i = 0; i < frames; i++) expect(speaker.audio(second, i)).toBe(second.at(i));
}

function results(start: number, duration: number, transcript: string, more: object = {}): string {
  const words = transcript === '' ? [] : transcript.split(' ').map((word) => ({ word, end: start + duration }));
  return JSON.stringify({
    type: 'Results',
    start,
    duration,
    channel: { alternatives: [{ transcript, words }] },
    ...more,
  });
}

describe("deepgram's live protocol", () => {
  it('asks for interim results of raw PCM, and leaves the model and the language to the options', () => {
    expect(dialect.connect(session)).toMatchObject({
      path: '/v1/listen',
      query: { interim_results: 'true', encoding: 'linear16', sample_rate: '16000', model: 'nova-3', language: 'de' },
    });
  });

  it('tells the whole utterance from segments that settle one by one', () => {
    const speaker = begin();
    speak(speaker);
    const told = [
      results(0, 0.3, 'hello'),
      results(0, 0.5, 'hello', { is_final: true, speech_final: true }),
      results(0.5, 0.4, 'their'),
    ].flatMap((message) => speaker.heard(message));
    expect(told).toMatchObject([
      { is: 'partial', utterance: 0, text: 'hello', settled: 0, coversMs: 300 },
      { is: 'partial', text: 'hello', settled: 5, coversMs: 500, words: [{ text: 'hello', endMs: 500, final: true }] },
      { is: 'partial', text: 'hello their', settled: 5, coversMs: 900 },
    ]);
    expect(speaker.utteranceOver()).toEqual(['{"type":"Finalize"}']);
    expect(speaker.heard(results(0.5, 0.5, 'there', { is_final: true, from_finalize: true }))).toMatchObject([
      { is: 'final', utterance: 0, text: 'hello there', settled: 11, coversMs: 1000 },
    ]);
  });

  it('ends an utterance by what covers it where nothing says from_finalize', () => {
    const speaker = begin();
    speak(speaker);
    speaker.utteranceOver();
    expect(speaker.heard(results(0, 0.98, 'hello', { is_final: true }))).toMatchObject([
      { is: 'final', text: 'hello' },
    ]);
  });

  it('ends an utterance that was not answered when sound from behind it is answered', () => {
    const speaker = begin();
    speak(speaker);
    speaker.heard(results(0, 0.5, 'hello', { is_final: true }));
    speaker.next({ text: 'again' });
    speak(speaker);
    expect(speaker.heard(results(1, 0.4, 'again'))).toMatchObject([
      { is: 'final', utterance: 0, text: 'hello' },
      { is: 'partial', utterance: 1, text: 'again' },
    ]);
  });

  it('gives the final of an utterance that the server ended by itself, and of no other', () => {
    const speaker = begin();
    speak(speaker);
    speaker.heard(results(0, 0.5, 'hello', { is_final: true }));
    expect(speaker.unanswered?.()).toBeUndefined();
    speaker.utteranceOver();
    expect(speaker.unanswered?.()).toMatchObject({ is: 'final', utterance: 0, text: 'hello', settled: 5 });
    expect(speaker.unanswered?.()).toBeUndefined();
  });

  it('ends an utterance that is broken off when the next begins', () => {
    const speaker = begin();
    speak(speaker, 10);
    expect(speaker.next({ text: 'x' })).toEqual(['{"type":"Finalize"}']);
    expect(speaker.utteranceOver()).toEqual(['{"type":"Finalize"}']);
    expect(speaker.utteranceOver()).toEqual([]);
  });

  it.each([
    [1000, []],
    [4500, ['{"type":"KeepAlive"}']],
  ])('says after %i ms of silence %j', (ms, said) => {
    expect(begin().quiet(ms)).toEqual(said);
  });

  it.each<[string, string | Uint8Array, object]>([
    ['Metadata', '{"type":"Metadata"}', { is: 'nothing' }],
    ['a warning', '{"type":"Warning"}', { is: 'nothing' }],
    [
      'an error of the stream',
      '{"type":"Error","description":"no credits","variant":"NET-0000"}',
      { is: 'error', message: 'no credits', code: 'NET-0000' },
    ],
    ['an error of the upgrade', '{"err_code":"BAD","err_msg":"no"}', { is: 'error', message: 'no', code: 'BAD' }],
    ['another dialect', '{"text":"hello"}', { is: 'not understood', problem: 'a message without a type' }],
    ['no JSON', '<html>', { is: 'not understood', problem: 'no JSON' }],
    ['a list', '[]', { is: 'not understood', problem: 'JSON that is no object' }],
    ['bytes', new Uint8Array(3), { is: 'not understood', problem: 'a binary message, where JSON was due' }],
    ['Results without times', '{"type":"Results"}', { is: 'not understood' }],
    ['Results without text', results(0, 1, 'a').replace('"a"', '7'), { is: 'not understood' }],
  ])('takes %s for what it is', (_, message, heard) => {
    expect(begin().heard(message)).toMatchObject([heard]);
  });
});
