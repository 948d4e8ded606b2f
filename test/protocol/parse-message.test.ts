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
      message: { ...start, language: 'en-US', granularity: 'phoneme', emit_interval_ms: 100, lane: 'live' },
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
    ['the shortest key', { ...start, idempotency_key: 'k'.repeat(16) }],
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
    [
      'unsupported_audio',
      'audio.sample_rate: 7999 is not at least 8000',
      { ...start, audio: { ...audio, sample_rate: 7999 } },
    ],
    [
      'unsupported_audio',
      'audio.sample_rate: 48001 is not at most 48000',
      { ...start, audio: { ...audio, sample_rate: 48_001 } },
    ],
    [
      'unsupported_audio',
      'audio.sample_rate: 16000.5 is not a whole number',
      { ...start, audio: { ...audio, sample_rate: 16_000.5 } },
    ],
    [
      'unsupported_audio',
      'audio.channels: 2 is not allowed; allowed: 1',
      { ...start, audio: { ...audio, channels: 2 } },
    ],
    [
      'unsupported_audio',
      'audio.encoding: "opus" is not allowed; allowed: pcm_s16le, pcm_f32le',
      { ...start, audio: { ...audio, encoding: 'opus' } },
    ],
    ['unsupported_audio', 'audio.frame_ms: 9 is not at least 10', { ...start, audio: { ...audio, frame_ms: 9 } }],
    ['unsupported_audio', 'audio.frame_ms: 101 is not at most 100', { ...start, audio: { ...audio, frame_ms: 101 } }],
    [
      'unsupported_audio',
      'audio: unknown key "rate"; allowed: encoding, sample_rate, channels, frame_ms',
      { ...start, audio: { ...audio, rate: 1 } },
    ],
    [
      'invalid_reference',
      'reference.text: has 0 characters; allowed: at least 1',
      { ...start, reference: { text: '' } },
    ],
    [
      'invalid_reference',
      'reference.text: has 4001 characters; allowed: at most 4000',
      { ...start, reference: { text: 'a'.repeat(4001) } },
    ],
    ['invalid_reference', 'unknown key "txt"', { ...start, reference: { text: 'a', txt: 'b' } }],
    ['invalid_reference', 'words: has 0 entries; allowed: at least 1', { ...start, reference: { words: [] } }],
    [
      'invalid_reference',
      'words: has 501 entries; allowed: at most 500',
      { ...start, reference: { words: many(501, word('a', ['A']).words[0]) } },
    ],
    [
      'invalid_reference',
      'words.0.text: has 0 characters; allowed: at least 1',
      { ...start, reference: word('', ['A']) },
    ],
    [
      'invalid_reference',
      'words.0.text: has 101 characters; allowed: at most 100',
      { ...start, reference: word('a'.repeat(101), ['A']) },
    ],
    ['invalid_reference', 'words.0.phones: has 0 entries; allowed: at least 1', { ...start, reference: word('a', []) }],
    [
      'invalid_reference',
      'words.0.phones: has 41 entries; allowed: at most 40',
      { ...start, reference: word('a', many(41, 'A')) },
    ],
    [
      'invalid_reference',
      'words.0.phones.0: has 0 characters; allowed: at least 1',
      { ...start, reference: word('a', ['']) },
    ],
    [
      'invalid_reference',
      'words.0.phones.0: has 5 characters; allowed: at most 4',
      { ...start, reference: word('a', ['AAAAA']) },
    ],
    [
      'invalid_reference',
      'unknown key "ipa"',
      { ...start, reference: { words: [{ ...word('a', ['A']).words[0], ipa: 'a' }] } },
    ],
    ['invalid_reference', 'text: is missing; write text', { type: 'next_utterance', reference: {} }],
    [
      'invalid_message',
      'protocol: "speechfb.v2" is not allowed; allowed: speechfb.v1',
      { ...start, protocol: 'speechfb.v2' },
    ],
    ['invalid_message', 'language: has 1 characters; allowed: at least 2', { ...start, language: 'e' }],
    ['invalid_message', 'language: has 21 characters; allowed: at most 20', { ...start, language: 'e'.repeat(21) }],
    ['invalid_message', 'is not allowed; allowed: phoneme, word, utterance', { ...start, granularity: 'phone' }],
    ['invalid_message', 'emit_interval_ms: 19 is not at least 20', { ...start, emit_interval_ms: 19 }],
    ['invalid_message', 'emit_interval_ms: 1001 is not at most 1000', { ...start, emit_interval_ms: 1001 }],
    ['invalid_message', 'emit_interval_ms: 20.5 is not a whole number', { ...start, emit_interval_ms: 20.5 }],
    [
      'invalid_message',
      'idempotency_key: has 15 characters; allowed: at least 16',
      { ...start, idempotency_key: 'k'.repeat(15) },
    ],
    [
      'invalid_message',
      'idempotency_key: has 129 characters; allowed: at most 128',
      { ...start, idempotency_key: 'k'.repeat(129) },
    ],
    ['invalid_message', 'unknown key "rate"', { ...start, rate: 1 }],
    ['invalid_message', 'unknown key "rate"', { type: 'config', rate: 1 }],
    ['invalid_message', 'emit_interval_ms: 19 is not at least 20', { type: 'config', emit_interval_ms: 19 }],
    ['invalid_message', 'emit_interval_ms: 1001 is not at most 1000', { type: 'config', emit_interval_ms: 1001 }],
    ['invalid_message', 'is not allowed; allowed: phoneme, word, utterance', { type: 'config', granularity: '' }],
    ['invalid_message', 'unknown key "text"', { type: 'next_utterance', reference: { text: 'a' }, text: 'a' }],
    [
      'invalid_message',
      'marker: has 129 characters; allowed: at most 128',
      { type: 'finalize', marker: 'm'.repeat(129) },
    ],
    ['invalid_message', 'unknown key "at"', { type: 'finalize', at: 1 }],
    ['invalid_message', 'unknown key "at"', { type: 'keep_alive', at: 1 }],
    ['invalid_message', 'session_id: has 0 characters; allowed: at least 1', { ...resume, session_id: '' }],
    [
      'invalid_message',
      'session_id: has 65 characters; allowed: at most 64',
      { ...resume, session_id: 's'.repeat(65) },
    ],
    ['invalid_message', 'resume_token: has 0 characters; allowed: at least 1', { ...resume, resume_token: '' }],
    [
      'invalid_message',
      'resume_token: has 257 characters; allowed: at most 256',
      { ...resume, resume_token: 's'.repeat(257) },
    ],
    ['invalid_message', 'last_event_id: -1 is not at least 0', { ...resume, last_event_id: -1 }],
    ['invalid_message', 'last_event_id: 0.5 is not a whole number', { ...resume, last_event_id: 0.5 }],
    ['invalid_message', 'unknown key "at"', { ...resume, at: 1 }],
    ['invalid_message', 'last_seq: -2 is not at least -1', { type: 'close', last_seq: -2 }],
    ['invalid_message', 'last_seq: 4294967296 is not at most 4294967295', { type: 'close', last_seq: 0x1_0000_0000 }],
    ['invalid_message', 'unknown key "at"', { type: 'close', at: 1 }],
    ['invalid_message', 'the message is no JSON object: "start"', 'start'],
    ['invalid_message', 'the message is no JSON object: 7', 7],
    ['invalid_message', 'the message is no JSON object: null', null],
  ])('is refused as %s: %s', (code, problem, message) => {
    expect(parsed(message)).toEqual({ ok: false, code, problem: expect.stringContaining(problem) });
  });

  it('that is not JSON is refused', () => {
    expect(parseClientMessage('{')).toEqual({
      ok: false,
      code: 'invalid_message',
      problem: 'the message is not JSON: "{"',
    });
  });

  it.each([{}, { type: 'stop' }])('of no known type, as %o, is told the types', (message) => {
    expect(parsed(message)).toEqual({
      ok: false,
      code: 'invalid_message',
      problem: expect.stringMatching(
        /^type is not one of start, config, next_utterance, finalize, keep_alive, resume, close: (is missing|"stop")$/,
      ),
    });
  });

  it('is told of several problems at once, five at most, and by what all of them have in common', () => {
    expect(parsed({ ...start, audio: {} })).toEqual({
      ok: false,
      code: 'unsupported_audio',
      problem:
        'audio.encoding: is missing; write one of pcm_s16le, pcm_f32le; audio.sample_rate: is missing; write a number; audio.channels: is missing; write one of 1',
    });
    expect(parsed({ ...start, audio: {}, reference: {} })).toMatchObject({ code: 'invalid_message' });
    const worst = parsed({ ...start, protocol: '', language: '', granularity: '', audio: {}, reference: {} });
    expect(worst).toMatchObject({
      problem: expect.stringMatching(/^protocol: [^:]+: [^:]+(; [a-z]+[a-z_.]*: [^:]+(: [^:]+)?){4}$/),
    });
  });

  it.each([
    [{}, 'reference: text: is missing; write text'],
    [7, 'reference: 7 is not a mapping'],
    [{ text: 'a', words: [] }, 'reference: words: has 0 entries; allowed: at least 1, unknown key "text"'],
    [{ text: 1, words: [{ text: 'a', phones: [1] }], extra: 1 }, 'words.0.phones.0: 1 is not text'],
  ])('with a reference of neither kind, as %o, is told of the kind that came closest', (reference, problem) => {
    expect(parsed({ ...start, reference })).toMatchObject({ problem: expect.stringContaining(problem) });
  });
});

function parsed(message: unknown) {
  return parseClientMessage(JSON.stringify(message));
}
