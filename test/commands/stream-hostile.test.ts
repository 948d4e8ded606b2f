import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { mostFragments } from '../../src/client/link/websocket-assembly.ts';
import { speechfb } from '../kit/command.ts';
import { phoneAt } from '../kit/fake-server.ts';
import { type Peer, type Script, startHostileServer } from '../kit/hostile-server.ts';
import { makeWav } from '../kit/make-wav.ts';
import { temporaryDirectory } from '../kit/temporary-directory.ts';
import { raw } from '../kit/websocket.ts';

const clip = join(temporaryDirectory(), 'clip.wav');
writeFileSync(clip, makeWav({ channels: [Array.from({ length: 4800 }, (_, i) => Math.sin(i / 10) / 2)] }));

// Each run of the program in this process listens to its streams once more.
for (const stream of [process.stdout, process.stderr]) stream.setMaxListeners(0);

const nothing = () => {};
const silent: Script = { start: nothing, frame: nothing, finalize: nothing };
/** A message of its own in place of `ready`, of feedback, or of the final. */
const atStart = (write: (peer: Peer) => void): Script => ({ start: write });
const atFrame = (write: (peer: Peer) => void): Script => ({ frame: (peer, count) => count === 2 && write(peer) });
const atEnd = (write: (peer: Peer) => void): Script => ({ finalize: write });
const nested = (depth: number) => `${'['.repeat(depth)}${']'.repeat(depth)}`;

describe('stream ends well with', () => {
  it.each<[string, Script]>([
    ['a good server', {}],
    ['one that never closes', { close: nothing }],
    ['one that sends all of a second byte by byte', { start: (peer) => byteByByte(peer) }],
    ['pings between everything', { frame: (peer) => (peer.bytes(raw(0x89, 'x')), peer.feedback()) }],
    ['keys that it does not know', { start: (peer) => peer.ready({ more: { than: ['was', 'asked'] } }) }],
    ['nothing but a final', { frame: nothing }],
    ['a final that comes late, without another ready', lateFinal()],
    ['a server that is busy twelve times, and asks to come again at once', { start: busy(12) }],
  ])('%s', async (_, script) => {
    const { status, stdout, stderr } = await stream(script);
    expect(stderr).toBe('');
    expect(stdout).toContain('pronunciation 90');
    expect(status).toBe(0);
  });
});

describe('stream ends with one sentence and 2 for', () => {
  it.each<[string, Script, string]>([
    // Silence.
    [
      'a server that accepts TCP and nothing more',
      { connected: () => true },
      'does not answer within 1.00 s [server_silent]',
    ],
    ['an upgrade that is never answered', { upgrade: nothing }, 'does not answer within 1.00 s [server_silent]'],
    ['half an answer to the upgrade', { upgrade: (peer) => peer.bytes('HTTP/1.1 101 Hel') }, '[server_silent]'],
    [
      'a server that is never ready',
      silent,
      'takes the connection and does not say ready within 1.00 s [server_silent]',
    ],
    [
      'one that answers pings alone',
      { ...silent, start: (peer) => peer.flood(Buffer.alloc(64_000, raw(0x89, 'hello?'))) },
      '[server_silent]',
    ],
    [
      'one that never says anything of the sound',
      { ...silent, start: (peer) => peer.ready() },
      'says nothing of the sound that it gets within 1.00 s [server_silent]',
    ],
    ['one that never sends a final', { finalize: nothing }, 'within 1.00 s [server_silent]'],
    [
      'one that sends acks for ever and no final',
      { finalize: (peer) => every(20, () => peer.ack(5), peer) },
      'sends no final within 1.00 s [server_silent]',
    ],
    // The upgrade.
    [
      'an answer that is no HTTP',
      { upgrade: (peer) => peer.bytes('SSH-2.0-OpenSSH\r\n\r\n') },
      'speaks no HTTP [session_refused]',
    ],
    [
      'a header without end',
      { upgrade: (peer) => peer.flood(Buffer.alloc(65_536, 'x')) },
      'has no end [session_refused]',
    ],
    [
      'interim answers without end',
      { upgrade: (peer) => peer.flood(Buffer.alloc(65_536, 'HTTP/1.1 100 Continue\r\n\r\n')) },
      'has no end [session_refused]',
    ],
    [
      'a redirect',
      { upgrade: (peer) => peer.bytes('HTTP/1.1 301 Moved\r\nLocation: ws://elsewhere/\r\n\r\n') },
      'it leads to ws://elsewhere/, which is not followed (HTTP 301) [session_refused]',
    ],
    ['a wrong accept', { upgrade: (peer) => peer.upgrade('', 'x') }, 'wrong Sec-WebSocket-Accept [session_refused]'],
    [
      'compression that was not asked for',
      { upgrade: (peer) => peer.upgrade('\r\nSec-WebSocket-Extensions: permessage-deflate') },
      'an extension that was not asked for [session_refused]',
    ],
    [
      'a refusal of 5 MB',
      { upgrade: (peer) => peer.bytes(`HTTP/1.1 503 No\r\n\r\n${'no room '.repeat(600_000)}`) },
      'it is full, or goes away (HTTP 503 no room no room',
    ],
    // Frames.
    [
      'empty fragments without end',
      atStart((peer) => (peer.bytes(raw(0x01, '')), peer.flood(Buffer.alloc(65_536)))),
      `a message of more than ${mostFragments} fragments [invalid_server_message]`,
    ],
    [
      'the same after ready',
      { start: (peer) => (peer.ready(), peer.bytes(raw(0x01, '')), peer.flood(Buffer.alloc(65_536))) },
      `more than ${mostFragments} fragments [invalid_server_message]`,
    ],
    [
      'a message of 2^63 bytes',
      atFrame((peer) => peer.bytes(Buffer.from([0x81, 127, 128, 0, 0, 0, 0, 0, 0, 0]))),
      'a frame of 9223372036854776000 bytes; at most 8388608 [invalid_server_message]',
    ],
    [
      'a masked frame',
      atFrame((peer) => peer.bytes(Buffer.from([0x81, 0x81, 0, 0, 0, 0, 0x61]))),
      'a frame from the server is masked [invalid_server_message]',
    ],
    [
      'a compressed frame',
      atFrame((peer) => peer.bytes(raw(0xc1, 'a'))),
      'a reserved bit is set [invalid_server_message]',
    ],
    [
      'bad UTF-8',
      atFrame((peer) => peer.bytes(raw(0x81, '{"type":"\xc3\x28"}'))),
      'a text is not UTF-8 [invalid_server_message]',
    ],
    [
      'a close code that does not exist',
      atFrame((peer) => peer.bytes(raw(0x88, '\x03\xee'))),
      'it closes with the code 1006 [invalid_server_message]',
    ],
    [
      'a close for good',
      atFrame((peer) => peer.bytes(raw(0x88, '\x0f\xa0bye'))),
      'ended before its final: bye [session_lost]',
    ],
    // Messages that are none.
    [
      'no JSON',
      atStart((peer) => peer.text('hello')),
      'broke the protocol: the message is not JSON: "hello" [invalid_server_message]',
    ],
    [
      '8 MB of no JSON',
      atStart((peer) => peer.text('z'.repeat(8_000_000))),
      `the message is not JSON: "${'z'.repeat(80)}" [invalid_server_message]`,
    ],
    [
      'JSON of another kind',
      atStart((peer) => peer.text('[1,2]')),
      'the message is no JSON object: [1,2] [invalid_server_message]',
    ],
    [
      'lists in lists',
      atStart((peer) => peer.text(nested(100_000))),
      'the message is no JSON object: [[]] [invalid_server_message]',
    ],
    [
      'a binary message',
      atStart((peer) => peer.bytes(raw(0x82, 'x'))),
      'a binary message; every event is a text [invalid_server_message]',
    ],
    [
      'a type that does not exist',
      atStart((peer) => peer.event({ type: 'reddy' })),
      'type: "reddy" is not allowed; allowed: ready, ack, moving, speech, transcript, phoneme_feedback, utterance_final, backpressure, info, go_away, error [invalid_server_message]',
    ],
    // Fields.
    [
      'no model',
      atStart((peer) => peer.ready({ model: undefined })),
      'ready: model: is missing; write a mapping [invalid_server_message]',
    ],
    [
      'no words',
      atEnd((peer) => peer.final({ words: undefined })),
      'utterance_final: words: is missing; write a list [invalid_server_message]',
    ],
    [
      'words that are a number',
      atEnd((peer) => peer.final({ words: 3 })),
      'utterance_final: words: 3 is not a list [invalid_server_message]',
    ],
    [
      'a word that is none',
      atEnd((peer) => peer.final({ words: [null] })),
      'utterance_final: words.0: null is not a mapping [invalid_server_message]',
    ],
    [
      'a million words',
      atEnd((peer) => peer.final({ words: Array.from({ length: 1_000_000 }, () => 0) })),
      'words: has 1000000 entries; allowed: at most 8192 [invalid_server_message]',
    ],
    [
      'a resume token of 1 MB',
      atStart((peer) => peer.ready({ resume_token: 'x'.repeat(1_000_000) })),
      'ready: resume_token: has 1000000 characters; allowed: at most 256 [invalid_server_message]',
    ],
    [
      'a model in a model',
      atStart((peer) =>
        peer.text(peer.eventText({ type: 'ready', session_id: 'MARK' }).replace('"MARK"', nested(50_000))),
      ),
      'ready: session_id: [[[]]] is not text [invalid_server_message]',
    ],
    [
      'a time before the sound',
      atFrame((peer) => peer.feedback({ audio_ms: -20 })),
      'phoneme_feedback: audio_ms: -20 is not at least 0 [invalid_server_message]',
    ],
    [
      'a time of 1e308',
      atFrame((peer) => peer.feedback({ audio_ms: 1e308 })),
      'phoneme_feedback: audio_ms: 1e+308 is not at most 1000000000 [invalid_server_message]',
    ],
    [
      'a number beyond all',
      atFrame((peer) => peer.text(peer.eventText({ type: 'speech', state: 'began' }).replace('}', ',"at_ms":1e999}'))),
      'speech: at_ms: Infinity is not a number [invalid_server_message]',
    ],
    [
      'an event id beyond whole numbers',
      atFrame((peer) => peer.feedback({ event_id: 2 ** 60 })),
      'phoneme_feedback: event_id: 1152921504606847000 is not at most',
    ],
    [
      'a score of 101',
      atFrame((peer) => peer.feedback({ phonemes: [{ ...phoneAt(0, 100), accuracy: 101 }] })),
      'phoneme_feedback: phonemes.0.accuracy: 101 is not at most 100 [invalid_server_message]',
    ],
    [
      'a phone that is a text',
      atFrame((peer) => peer.feedback({ phonemes: ['AH'] })),
      'phoneme_feedback: phonemes.0: "AH" is not a mapping [invalid_server_message]',
    ],
    [
      'a stage that is a text',
      atFrame((peer) => peer.feedback({ timing: { asr: '3' } })),
      'phoneme_feedback: timing.asr: "3" is not a number [invalid_server_message]',
    ],
    [
      'an error without a message',
      atStart((peer) => peer.event({ type: 'error', code: 'x', retryable: false, retry_after_ms: null })),
      'error: message: is missing; write text [invalid_server_message]',
    ],
    // Order.
    [
      'a final before ready',
      atStart((peer) => peer.final()),
      'utterance_final: it came before ready [invalid_server_message]',
    ],
    [
      'a second ready',
      atFrame((peer) => peer.ready()),
      'ready: it came a second time on one connection [invalid_server_message]',
    ],
    [
      'a result of an utterance that was never begun',
      atFrame((peer) => peer.feedback({ utterance_id: 7 })),
      'phoneme_feedback: utterance_id: 7 was never begun; allowed: 1 to 1 [invalid_server_message]',
    ],
    [
      'an ack of what was not sent',
      atFrame((peer) => peer.ack(4_000_000_000)),
      /ack: next_seq: 4000000000 is beyond the \d+ frames that were sent \[invalid_server_message]/.source,
    ],
    [
      'a ready that wants to go on beyond the end',
      atStart((peer) => peer.ready({ next_seq: 9 })),
      'ready: next_seq: 9 is beyond the 0 frames that were sent [invalid_server_message]',
    ],
    [
      'a thousand answers to each frame',
      {
        frame: (peer) => {
          for (let i = 0; i < 1000; i++) peer.feedback();
        },
      },
      'of sound; allowed: 2000, and 300 a second [invalid_server_message]',
    ],
    // Errors.
    [
      'an error of 5 MB',
      atStart(
        (peer) => (
          peer.event({
            type: 'error',
            code: 'server_busy',
            message: 'no room '.repeat(650_000),
            retryable: false,
            retry_after_ms: null,
          }),
          peer.bytes(raw(0x88, '\x11\x97'))
        ),
      ),
      '... (5200000 characters) [session_refused]',
    ],
    [
      'a server that is ready and cuts the line, again and again',
      { start: (peer) => (peer.ready({ resume_ttl_ms: 1e9 }), peer.socket.destroySoon()) },
      '[server_silent]',
    ],
  ])('%s', async (_, script, said) => {
    const began = performance.now();
    // Who waits for something that comes waits as long as a slow machine takes.
    const { status, stderr } = await stream(script, said.includes('[server_silent]') ? '1s' : '20s');
    const [sentence = '', ...rest] = stderr.trimEnd().split('\n');
    if (said.includes('\\d')) expect(sentence).toMatch(new RegExp(said));
    else expect(sentence).toContain(said);
    expect(sentence.length).toBeLessThan(900);
    expect(rest.filter((line) => !line.startsWith('  hint: '))).toEqual([]);
    expect(status).toBe(2);
    expect(performance.now() - began).toBeLessThan(30_000);
  });

  it.each<[string, Buffer, number]>([
    ['a masked frame', Buffer.from([0x81, 0x81, 0, 0, 0, 0, 0x61]), 1002],
    ['bad UTF-8', raw(0x81, '\xff'), 1007],
    ['a length of 2^63', Buffer.from([0x81, 127, 128, 0, 0, 0, 0, 0, 0, 0]), 1009],
  ])('%s, and tells the server with %i', async (_, bytes, code) => {
    const server = await startHostileServer(atStart((peer) => peer.bytes(bytes)));
    onTestFinished(() => server.close());
    await speechfb('stream', clip, '--text', 'a', '--url', server.url);
    await expect.poll(() => server.peers[0]!.closeCodes).toEqual([code]);
  });
});

it.each([
  ['--ready-timeout', '0s', '--ready-timeout 0s is not from 100 ms to 1 h [bad_flag]'],
  ['--answer-timeout', '2h', '--answer-timeout 2h is not from 100 ms to 1 h [bad_flag]'],
  ['--final-timeout', 'soon', '--final-timeout: '],
])('%s %s is refused', async (flag, value, said) => {
  const { status, stderr } = await speechfb('stream', clip, '--text', 'a', flag, value);
  expect(stderr).toContain(said);
  expect(status).toBe(2);
});

async function stream(script: Script, patience = '1s') {
  const server = await startHostileServer(script);
  onTestFinished(() => server.close());
  const timeouts = ['--ready-timeout', patience, '--answer-timeout', patience, '--final-timeout', patience];
  return await speechfb('stream', clip, '--text', 'a', '--url', server.url, ...timeouts);
}

function busy(times: number): (peer: Peer) => void {
  let left = times;
  return (peer) => {
    if (left-- <= 0) return peer.ready();
    peer.event({ type: 'error', code: 'server_busy', message: 'again', retryable: true, retry_after_ms: 0 });
    peer.bytes(raw(0x88, '\x11\x97'));
  };
}

/** Cuts the session at its end; who comes back is told its final, and that the session is over. */
function lateFinal(): Script {
  let starts = 0;
  return {
    finalize: ({ socket }) => void socket.destroy(),
    start: (peer) => {
      starts += 1;
      if (starts === 1) {
        peer.ready();
        return;
      }
      peer.final({ event_id: 900, late: true });
      const error = { code: 'session_not_found', message: 'it has ended', retryable: false, retry_after_ms: null };
      peer.event({ event_id: 0, type: 'error', ...error });
      peer.bytes(raw(0x88, '\x11\x34'));
    },
  };
}

function byteByByte(peer: Peer): void {
  const { bytes } = peer;
  peer.bytes = (whole) => {
    for (const byte of Buffer.from(whole)) bytes.call(peer, Buffer.from([byte]));
  };
  peer.ready();
}

function every(ms: number, act: () => void, { socket }: Peer): void {
  const timer = setInterval(act, ms);
  socket.once('close', () => clearInterval(timer));
}
