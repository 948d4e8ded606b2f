import { describe, expect, it } from 'vitest';
import type { WireErrorCode } from '../../src/protocol/codes.ts';
import { parseClientMessage } from '../../src/protocol/parse-message.ts';

const audio = { encoding: 'pcm_s16le', sample_rate: 16_000, channels: 1 };
const start = { type: 'start', protocol: 'speechfb.v1', audio, reference: { text: 'a' } };
const resume = { type: 'resume', session_id: 's', resume_token: 't', last_event_id: 0 };
const word = (text: string, phones: readonly string[]) => ({ words: [{ text, phones }] });
const many = <T>(count: number, item: T): T[] => Array.from({ length: count }, () => item);

describe('a message of a client', () => {
  it('that starts a session has its defaults filled in', () => {
    expect(parsed(start)).toEqual({
      ok: true,
      message: { ...start, language: 'en-US', granularity: 'phoneme', emit_interval_ms: 100 },
    });
  });

  it.each<[string, object]>([
    ['the slowest sound', { ...start, audio: { ...audio, sample_rate: 8000 } }],
    ['the fastest sound', { ...start, audio: { ...audio, sample_rate: 48_000 } }],
    ['floats', { ...start, audio: { ...audio, encoding: 'pcm_f32le' } }],
    ['the shortest frames', { ...start, audio: { ...audio, frame_ms: 10 } }],
    ['the longest frames', { ...start, audio: { ...audio, frame_ms: 100 } }],
    ['the shortest language', { ...start, language: 'en' }],
    ['the longest language', { ...start, language: 'e'.repeat(20) }],
    ['words as feedback', { ...start, granularity: 'word' }],
    ['utterances as feedback', { ...start, granularity: 'utterance' }],
    ['phonemes as feedback', { ...start, granularity: 'phoneme' }],
    ['the shortest interval', { ...start, emit_interval_ms: 20 }],
    ['the longest interval', { ...start, emit_interval_ms: 1000 }],
    ['the shortest key', { ...start, idempotency_key: 'k' }],
    ['the longest key', { ...start, idempotency_key: 'k'.repeat(128) }],
    ['the longest text', { ...start, reference: { text: 'a'.repeat(4000) } }],
    ['one word of one phone', { ...start, reference: word('a', ['A']) }],
    ['the most words', { ...start, reference: { words: many(500, { text: 'a', phones: ['A'] }) } }],
    ['the longest word', { ...start, reference: word('a'.repeat(100), many(40, 'AAAA')) }],
    ['nothing to configure', { type: 'config' }],
    ['the shortest interval from now on', { type: 'config', emit_interval_ms: 20 }],
    ['the longest interval from now on', { type: 'config', emit_interval_ms: 1000, granularity: 'word' }],
    ['phonemes from now on', { type: 'config', granularity: 'phoneme' }],
    ['utterances from now on', { type: 'config', granularity: 'utterance' }],
    ['another text', { type: 'next_utterance', reference: { text: 'b' } }],
    ['an end of an utterance', { type: 'finalize' }],
    ['an end of an utterance with a marker', { type: 'finalize', marker: 'm'.repeat(128) }],
    ['life', { type: 'keep_alive' }],
    ['a resume', resume],
    ['the longest resume', { ...resume, session_id: 's'.repeat(64), resume_token: 't'.repeat(256), last_event_id: 9 }],
    ['an end', { type: 'close' }],
    ['an end without a frame', { type: 'close', last_seq: -1 }],
    ['an end after the last possible frame', { type: 'close', last_seq: 0xffffffff }],
  ])('may say %s', (_, message) => {
    expect(parsed(message)).toMatchObject({ ok: true, message });
  });

  it.each<[WireErrorCode, string, object | string | number | null]>([
    ['unsupported_audio', 'audio.sample_rate: Too small', { ...start, audio: { ...audio, sample_rate: 7999 } }],
    ['unsupported_audio', 'audio.sample_rate: Too big', { ...start, audio: { ...audio, sample_rate: 48_001 } }],
    ['unsupported_audio', 'audio.sample_rate: Invalid', { ...start, audio: { ...audio, sample_rate: 16_000.5 } }],
    ['unsupported_audio', 'audio.channels: Invalid', { ...start, audio: { ...audio, channels: 2 } }],
    ['unsupported_audio', '"pcm_s16le"|"pcm_f32le"', { ...start, audio: { ...audio, encoding: 'opus' } }],
    ['unsupported_audio', 'audio.frame_ms: Too small', { ...start, audio: { ...audio, frame_ms: 9 } }],
    ['unsupported_audio', 'audio.frame_ms: Too big', { ...start, audio: { ...audio, frame_ms: 101 } }],
    ['unsupported_audio', 'audio: Unrecognized key: "rate"', { ...start, audio: { ...audio, rate: 1 } }],
    ['invalid_reference', 'reference.text: Too small', { ...start, reference: { text: '' } }],
    ['invalid_reference', 'reference.text: Too big', { ...start, reference: { text: 'a'.repeat(4001) } }],
    ['invalid_reference', 'Unrecognized key: "txt"', { ...start, reference: { text: 'a', txt: 'b' } }],
    ['invalid_reference', 'reference.words: Too small', { ...start, reference: { words: [] } }],
    ['invalid_reference', 'words: Too big', { ...start, reference: { words: many(501, word('a', ['A']).words[0]) } }],
    ['invalid_reference', 'words.0.text: Too small', { ...start, reference: word('', ['A']) }],
    ['invalid_reference', 'words.0.text: Too big', { ...start, reference: word('a'.repeat(101), ['A']) }],
    ['invalid_reference', 'words.0.phones: Too small', { ...start, reference: word('a', []) }],
    ['invalid_reference', 'words.0.phones: Too big', { ...start, reference: word('a', many(41, 'A')) }],
    ['invalid_reference', 'words.0.phones.0: Too small', { ...start, reference: word('a', ['']) }],
    ['invalid_reference', 'words.0.phones.0: Too big', { ...start, reference: word('a', ['AAAAA']) }],
    [
      'invalid_reference',
      'Unrecognized key: "ipa"',
      { ...start, reference: { words: [{ ...word('a', ['A']).words[0], ipa: 'a' }] } },
    ],
    ['invalid_reference', 'reference: text: Invalid input', { type: 'next_utterance', reference: {} }],
    ['invalid_message', 'protocol: Invalid input', { ...start, protocol: 'speechfb.v2' }],
    ['invalid_message', 'language: Too small', { ...start, language: 'e' }],
    ['invalid_message', 'language: Too big', { ...start, language: 'e'.repeat(21) }],
    ['invalid_message', '"phoneme"|"word"|"utterance"', { ...start, granularity: 'phone' }],
    ['invalid_message', 'emit_interval_ms: Too small', { ...start, emit_interval_ms: 19 }],
    ['invalid_message', 'emit_interval_ms: Too big', { ...start, emit_interval_ms: 1001 }],
    ['invalid_message', 'emit_interval_ms: Invalid', { ...start, emit_interval_ms: 20.5 }],
    ['invalid_message', 'idempotency_key: Too small', { ...start, idempotency_key: '' }],
    ['invalid_message', 'idempotency_key: Too big', { ...start, idempotency_key: 'k'.repeat(129) }],
    ['invalid_message', 'Unrecognized key: "rate"', { ...start, rate: 1 }],
    ['invalid_message', 'Unrecognized key: "rate"', { type: 'config', rate: 1 }],
    ['invalid_message', 'emit_interval_ms: Too small', { type: 'config', emit_interval_ms: 19 }],
    ['invalid_message', 'emit_interval_ms: Too big', { type: 'config', emit_interval_ms: 1001 }],
    ['invalid_message', '"phoneme"|"word"|"utterance"', { type: 'config', granularity: '' }],
    ['invalid_message', 'Unrecognized key: "text"', { type: 'next_utterance', reference: { text: 'a' }, text: 'a' }],
    ['invalid_message', 'marker: Too big', { type: 'finalize', marker: 'm'.repeat(129) }],
    ['invalid_message', 'Unrecognized key: "at"', { type: 'finalize', at: 1 }],
    ['invalid_message', 'Unrecognized key: "at"', { type: 'keep_alive', at: 1 }],
    ['invalid_message', 'session_id: Too small', { ...resume, session_id: '' }],
    ['invalid_message', 'session_id: Too big', { ...resume, session_id: 's'.repeat(65) }],
    ['invalid_message', 'resume_token: Too small', { ...resume, resume_token: '' }],
    ['invalid_message', 'resume_token: Too big', { ...resume, resume_token: 's'.repeat(257) }],
    ['invalid_message', 'last_event_id: Too small', { ...resume, last_event_id: -1 }],
    ['invalid_message', 'last_event_id: Invalid', { ...resume, last_event_id: 0.5 }],
    ['invalid_message', 'Unrecognized key: "at"', { ...resume, at: 1 }],
    ['invalid_message', 'last_seq: Too small', { type: 'close', last_seq: -2 }],
    ['invalid_message', 'last_seq: Too big', { type: 'close', last_seq: 0x1_0000_0000 }],
    ['invalid_message', 'Unrecognized key: "at"', { type: 'close', at: 1 }],
    ['invalid_message', 'expected object, received string', 'start'],
    ['invalid_message', 'expected object, received number', 7],
    ['invalid_message', 'expected object, received null', null],
  ])('is refused as %s: %s', (code, problem, message) => {
    expect(parsed(message)).toEqual({ ok: false, code, problem: expect.stringContaining(problem) });
  });

  it('that is not JSON is refused', () => {
    expect(parseClientMessage('{')).toEqual({
      ok: false,
      code: 'invalid_message',
      problem: 'the message is not JSON',
    });
  });

  it.each([{}, { type: 'stop' }])('of no known type, as %o, is told the types', (message) => {
    expect(parsed(message)).toEqual({
      ok: false,
      code: 'invalid_message',
      problem: 'type is not one of start, config, next_utterance, finalize, keep_alive, resume, close',
    });
  });

  it('is told of several problems at once, five at most, and by what all of them have in common', () => {
    expect(parsed({ ...start, audio: {} })).toEqual({
      ok: false,
      code: 'unsupported_audio',
      problem:
        'audio.encoding: Invalid option: expected one of "pcm_s16le"|"pcm_f32le"; ' +
        'audio.sample_rate: Invalid input: expected number, received undefined; audio.channels: Invalid input: expected 1',
    });
    expect(parsed({ ...start, audio: {}, reference: {} })).toMatchObject({ code: 'invalid_message' });
    const worst = parsed({ ...start, protocol: '', language: '', granularity: '', audio: {}, reference: {} });
    expect(worst).toMatchObject({ problem: expect.stringMatching(/^protocol: [^;]+(; [a-z_.]+: [^;]+){4}$/) });
  });

  it.each([
    [{}, 'reference: text: Invalid input: expected string, received undefined'],
    [7, 'reference: Invalid input: expected object, received number'],
    [
      { text: 'a', words: [] },
      'reference: words: Too small: expected array to have >=1 items, Unrecognized key: "text"',
    ],
    [{ text: 1, words: [{ text: 'a', phones: [1] }], extra: 1 }, 'words.0.phones.0: Invalid input: expected string'],
  ])('with a reference of neither kind, as %o, is told of the kind that came closest', (reference, problem) => {
    expect(parsed({ ...start, reference })).toMatchObject({ problem: expect.stringContaining(problem) });
  });
});

function parsed(message: unknown) {
  return parseClientMessage(JSON.stringify(message));
}
