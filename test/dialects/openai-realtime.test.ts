import { describe, expect, it } from 'vitest';
import type { Heard, Speaker } from '../../src/dialects/dialect.ts';
import { openaiRealtime } from '../../src/dialects/openai-realtime.ts';
import { EncodedSound } from '../../src/dialects/sound.ts';

type Options = Parameters<typeof openaiRealtime>[0];
const plain: Options = { model: 'gpt-4o-transcribe', sampleRateHz: undefined, turnDetection: 'none' };
const session = { sampleRateHz: 24_000, language: 'en-US', reference: { text: 'hello' }, session: 's' };
const commit = ['{"type":"input_audio_buffer.commit"}'];
const item = 'conversation.item.input_audio_transcription';

function say(speaker: Speaker, ...events: object[]): Heard[] {
  return events.flatMap((event) => speaker.heard(JSON.stringify(event)));
}

function openai(options: Partial<Options> = {}): Speaker {
  const speaker = openaiRealtime({ ...plain, ...options }).speaker(session);
  expect(speaker.readyAtOnce).toBe(false);
  const [update] = say(speaker, { type: 'session.created', session: {} });
  expect(JSON.parse(`${update?.is === 'answer' && update.send[0]}`)).toMatchObject({
    type: 'session.update',
    session: {
      type: 'transcription',
      audio: {
        input: {
          format: { type: 'audio/pcm', rate: 24_000 },
          transcription: { model: 'gpt-4o-transcribe', language: 'en' },
        },
      },
    },
  });
  expect(say(speaker, { type: 'session.updated' })).toEqual([{ is: 'ready' }]);
  return speaker;
}

const delta = (item_id: string, text: string) => ({ type: `${item}.delta`, item_id, delta: text });
const completed = (item_id: string, transcript: string) => ({ type: `${item}.completed`, item_id, transcript });
const committed = (item_id: string) => ({ type: 'input_audio_buffer.committed', item_id });

describe("OpenAI's flavour", () => {
  it('grows by deltas and ends with the whole text of the committed item', () => {
    const speaker = openai();
    const partials = say(speaker, delta('a', 'hel'), delta('a', 'lo their'));
    expect(partials).toMatchObject([
      { is: 'partial', utterance: 0, text: 'hel', settled: 0 },
      { is: 'partial', utterance: 0, text: 'hello their' },
    ]);
    expect(speaker.utteranceOver()).toEqual(commit);
    expect(say(speaker, committed('a'), completed('a', 'hello there'))).toEqual([
      { is: 'nothing' },
      { is: 'final', utterance: 0, text: 'hello there', settled: 11 },
    ]);
  });

  it('keeps utterances apart whose texts come late', () => {
    const speaker = openai();
    speaker.utteranceOver();
    say(speaker, committed('a'));
    speaker.next({ text: 'two' });
    speaker.utteranceOver();
    say(speaker, committed('b'));
    expect(say(speaker, delta('b', 'two'), completed('a', 'one'), completed('b', 'two'))).toMatchObject([
      { is: 'partial', utterance: 1, text: 'two' },
      { is: 'final', utterance: 0, text: 'one' },
      { is: 'final', utterance: 1, text: 'two' },
    ]);
  });

  it('joins the turns that a server finds within one utterance', () => {
    const speaker = openai({ turnDetection: 'server_vad' });
    const told = say(
      speaker,
      delta('a', 'hello'),
      { type: 'input_audio_buffer.speech_stopped' },
      committed('a'),
      completed('a', 'hello'),
      delta('b', 'there'),
    );
    expect(told.at(-1)).toMatchObject({ is: 'partial', utterance: 0, text: 'hello there', settled: 5 });
    speaker.utteranceOver();
    expect(say(speaker, committed('b'), completed('b', 'there')).at(-1)).toMatchObject({
      is: 'final',
      text: 'hello there',
    });
  });

  it('ends an utterance of which the server had committed all before', () => {
    const speaker = openai({ turnDetection: 'server_vad' });
    say(speaker, { type: 'input_audio_buffer.speech_stopped' }, committed('a'), completed('a', 'hello'));
    speaker.utteranceOver();
    const empty = { type: 'error', error: { code: 'input_audio_buffer_commit_empty', message: 'buffer too small' } };
    expect(say(speaker, empty)).toMatchObject([{ is: 'final', utterance: 0, text: 'hello' }]);
  });

  it('ends an utterance that could not be transcribed with nothing', () => {
    const speaker = openai();
    speaker.utteranceOver();
    expect(say(speaker, committed('a'), { type: `${item}.failed`, item_id: 'a' }).at(-1)).toMatchObject({
      is: 'final',
      text: '',
    });
  });

  it.each<[string, object, object]>([
    [
      'an error',
      { type: 'error', error: { code: 'rate_limit', message: 'slow down' } },
      { is: 'error', code: 'rate_limit', message: 'slow down' },
    ],
    ['speech', { type: 'input_audio_buffer.speech_started' }, { is: 'nothing' }],
    ['limits', { type: 'rate_limits.updated' }, { is: 'nothing' }],
    ['another dialect', { type: 'Results' }, { is: 'not understood' }],
    ['a delta without text', { type: `${item}.delta`, item_id: 'a' }, { is: 'not understood' }],
  ])('takes %s for what it is', (_, event, heard) => {
    expect(say(openai(), event)).toMatchObject([heard]);
  });
});

describe("vLLM's flavour", () => {
  const begin = () => {
    const dialect = openaiRealtime({ ...plain, model: 'voxtral' });
    const speaker = dialect.speaker(session);
    const told = say(speaker, { type: 'session.created', id: 'sess-1', created: 1 });
    expect(told).toEqual([
      {
        is: 'answer',
        send: ['{"type":"session.update","model":"voxtral"}', '{"type":"input_audio_buffer.commit","final":false}'],
      },
      { is: 'ready' },
    ]);
    return { dialect, speaker };
  };

  it('is sent 16 kHz, made once', () => {
    const { dialect, speaker } = begin();
    const sound = new EncodedSound({ pcm: new Uint8Array(32_000), sampleRateHz: 16_000 }, dialect.audio, 20);
    const message = speaker.audio(sound, 0) as { text: Uint8Array };
    expect(Buffer.from(JSON.parse(Buffer.from(message.text).toString()).audio, 'base64')).toHaveLength(640);
    expect(speaker.audio(sound, 0)).toBe(message);
    expect(sound.at(0)).not.toBe(message);
  });

  it('begins the next utterance when the one before is done', () => {
    const { speaker } = begin();
    expect(
      say(speaker, { type: 'transcription.delta', delta: ' he' }, { type: 'transcription.delta', delta: 'llo' }),
    ).toMatchObject([
      { is: 'partial', text: 'he', settled: 2 },
      { is: 'partial', text: 'hello', settled: 5 },
    ]);
    expect(speaker.next({ text: 'two' })).toEqual(['{"type":"input_audio_buffer.commit","final":true}']);
    expect(say(speaker, { type: 'transcription.done', text: 'hello' })).toEqual([
      { is: 'final', utterance: 0, text: 'hello', settled: 5 },
      { is: 'answer', send: ['{"type":"input_audio_buffer.commit","final":false}'] },
    ]);
    speaker.utteranceOver();
    expect(say(speaker, { type: 'transcription.done', text: 'two' })).toMatchObject([
      { is: 'final', utterance: 1, text: 'two' },
    ]);
    expect(speaker.next({ text: 'three' })).toEqual(['{"type":"input_audio_buffer.commit","final":false}']);
  });

  it('says its errors beside their code', () => {
    expect(say(begin().speaker, { type: 'error', error: 'no such model', code: 'model_not_validated' })).toEqual([
      { is: 'error', message: 'no such model', code: 'model_not_validated' },
    ]);
  });
});

it('takes nothing for granted before session.created', () => {
  const speaker = openaiRealtime(plain).speaker(session);
  expect(speaker.heard('{"type":"Results"}')).toMatchObject([{ is: 'not understood' }]);
  expect(speaker.utteranceOver()).toEqual([]);
});
