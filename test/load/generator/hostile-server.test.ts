import { beforeAll, describe, expect, it } from 'vitest';
import { runGenerator } from '../../../src/load/generator/generator.ts';
import { histogramsReady } from '../../../src/metrics/histogram.ts';
import { Recorder } from '../../../src/metrics/recorder.ts';
import { type Peer, type Script, startHostileServer } from '../../kit/hostile-server.ts';
import { plansOf, taskOf } from '../../kit/shard.ts';
import { raw } from '../../kit/websocket.ts';

beforeAll(histogramsReady);

const nothing = () => {};
const silent: Script = { start: nothing, frame: nothing, finalize: nothing };
const durationMs = 1500;
const drainMs = 500;

type Ended = { sessions_ok?: number; sessions_refused?: number; sessions_died?: number };

describe('learners who meet a hostile server end by their plan, and it is counted:', () => {
  it.each<[string, Script, Ended, RegExp | undefined]>([
    ['a server that accepts TCP and nothing more', { connected: () => true }, { sessions_refused: 3 }, undefined],
    ['one that is never ready', silent, { sessions_refused: 3 }, undefined],
    [
      'one that answers pings alone',
      { ...silent, start: flood(raw(0x89, 'hello?')) },
      { sessions_refused: 3 },
      undefined,
    ],
    ['one that says ready and no more', { ...silent, start: (peer) => peer.ready() }, { sessions_died: 3 }, undefined],
    ['one that never sends a final', { finalize: nothing }, { sessions_died: 3 }, undefined],
    ['one that never closes', { close: nothing }, {}, undefined],
    [
      'no HTTP',
      { upgrade: (peer) => peer.bytes('SSH-2.0\r\n\r\n') },
      { sessions_refused: 3 },
      /^refused: what answers speaks no HTTP/,
    ],
    [
      'empty fragments for ever',
      { start: (peer) => (peer.bytes(raw(0x01, '')), flood(Buffer.alloc(65_536))(peer)) },
      { sessions_refused: 3 },
      /^refused: the server broke the WebSocket protocol: a message of more than 4096 fragments \(1009\)$/,
    ],
    [
      'the same after ready',
      { start: (peer) => (peer.ready(), peer.bytes(raw(0x01, '')), flood(Buffer.alloc(65_536))(peer)) },
      { sessions_died: 3 },
      /^lost: the server broke .* \(1009\)$/,
    ],
    [
      'a masked frame',
      { frame: (peer) => peer.bytes(Buffer.from([0x81, 0x80, 0, 0, 0, 0])) },
      { sessions_died: 3 },
      /^lost: .* is masked \(1002\)$/,
    ],
    [
      'bad UTF-8',
      { frame: (peer) => peer.bytes(raw(0x81, '\xff')) },
      { sessions_died: 3 },
      /^lost: .* not UTF-8 \(1007\)$/,
    ],
    [
      'no JSON for ever',
      { start: (peer) => (peer.ready(), flood(raw(0x81, 'rubbish'))(peer)) },
      { sessions_died: 3 },
      /^invalid_server_message: the message is not JSON: "rubbish"$/,
    ],
    [
      'another error each time',
      {
        frame: (peer, i) =>
          peer.event({
            type: 'error',
            code: `e${'abc'[i % 3]}`,
            message: `${i} ${'x '.repeat(i * 100)}`,
            retryable: true,
            retry_after_ms: null,
          }),
      },
      {},
      /and others like it$/,
    ],
    [
      'a ready without a model',
      { start: (peer) => peer.ready({ model: undefined }) },
      { sessions_refused: 3 },
      /^invalid_server_message: ready: model: is missing/,
    ],
    [
      'a final without words',
      { finalize: (peer) => peer.final({ words: undefined }) },
      { sessions_died: 3 },
      /utterance_final: words: is missing/,
    ],
    [
      'a final before ready',
      { ...silent, start: (peer) => peer.final() },
      { sessions_refused: 3 },
      /utterance_final: it came before ready/,
    ],
    ['acks of what was not sent', { frame: (peer) => peer.ack(1e6) }, {}, /next_seq: 1000000 is beyond the \d+ frames/],
    ['times of 1e308', { frame: (peer) => peer.feedback({ audio_ms: 1e308 }) }, {}, /audio_ms: 1e\+308 is not at most/],
    [
      'a hundred answers to each frame',
      {
        frame: (peer) => {
          for (let i = 0; i < 100; i++) peer.feedback();
        },
      },
      {},
      undefined,
    ],
    [
      'a cut after each ready',
      { start: (peer) => (peer.ready({ resume_ttl_ms: 1e9 }), peer.socket.destroySoon()) },
      { sessions_died: 3 },
      undefined,
    ],
  ])('%s', async (_, script, ended, error) => {
    const server = await startHostileServer(script);
    const task = taskOf(plansOf(3, { durationMs }), { url: server.url, durationMs, drainMs });
    const began = performance.now();
    const result = await runGenerator(task, { signal: new AbortController().signal, onProgress: nothing });
    const tookMs = performance.now() - began;
    await server.close();
    expect(new Recorder(result.recording).merged().tally).toMatchObject(ended);
    const texts = result.sessionErrors.map(({ text }) => text);
    if (error) expect(texts).toContainEqual(expect.stringMatching(error));
    expect(texts.length).toBeLessThan(25);
    expect(Math.max(0, ...texts.map((text) => text.length))).toBeLessThan(450);
    // The plan, and what a machine under load adds.
    expect(tookMs).toBeLessThan(durationMs + drainMs + 20_000);
  });

  it('and stop at once when they are told to, amid a flood', async () => {
    const server = await startHostileServer({ start: (peer) => (peer.ready(), flood(raw(0x81, '{"a":1}'))(peer)) });
    const stop = new AbortController();
    const task = taskOf(plansOf(3, { durationMs: 60_000 }), { url: server.url, durationMs: 60_000 });
    const run = runGenerator(task, { signal: stop.signal, onProgress: nothing });
    await expect.poll(() => server.peers.length).toBe(3);
    const began = performance.now();
    stop.abort();
    await run;
    // A third of what it would go on for.
    expect(performance.now() - began).toBeLessThan(20_000);
    await server.close();
  });
});

/** The block again and again, some 64 KiB at a time. */
function flood(block: Buffer): (peer: Peer) => void {
  const many = Buffer.concat(Array.from({ length: Math.ceil(65_536 / block.length) }, () => block));
  return (peer) => peer.flood(many);
}
