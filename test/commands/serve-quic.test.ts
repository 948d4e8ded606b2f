import { type ChildProcess, spawn } from 'node:child_process';
import { describe, expect, it, onTestFinished } from 'vitest';
import { checkQuic } from '../../src/commands/serve/quic.ts';
import type { ServeFlags } from '../../src/commands/serve/settings.ts';
import { encodeFrame } from '../../src/protocol/frame.ts';
import { dialQuic } from '../../src/quic/dial.ts';
import type { QuicSocket } from '../../src/quic/quic-socket.ts';
import { localhostTls } from '../kit/localhost.ts';
import { childrenOf } from '../kit/processes.ts';
import { bin, runProgram } from '../kit/program.ts';
import { quicLack } from '../kit/quic-lack.ts';
import { connect, startMessage, type TestClient } from '../kit/server/client.ts';
import { Learner } from '../kit/server/learner.ts';
import { metricsByTls } from '../kit/server/metrics-by-tls.ts';

const flags = { quic: 0, role: 'all', tlsCert: 'cert.pem', tlsKey: 'key.pem' } as ServeFlags;

describe('speechfb serve --quic', () => {
  it.each([
    ['without a certificate', { tlsCert: undefined, tlsKey: undefined }, '--quic needs a certificate'],
    ['of a node', { role: 'inference' }, '--quic is not for --role inference'],
  ] as const)('%s is refused', async (_, changes, message) => {
    const given = { ...flags, ...changes } as ServeFlags;
    await expect(checkQuic(given)).rejects.toMatchObject({
      code: 'bad_flag',
      exitCode: 2,
      message: expect.stringContaining(message),
    });
    await expect(checkQuic({ ...given, quic: undefined } as unknown as ServeFlags)).resolves.toBeUndefined();
  });
});

describe.skipIf(quicLack !== undefined)('speechfb serve --quic --gateways 2', () => {
  it('has learners by QUIC at one gateway, sessions of the other too, and goes on when that one dies', async () => {
    const { child, url } = await start();
    const say = async (): Promise<void> => {
      for (const transport of ['quic-stream', 'quic-datagram'] as const) {
        const learner = new Learner(() => [url], { transport, tls: { ca: localhostTls.certificate } });
        await learner.speak(0, 50);
        expect(learner.of('ready')[0]!.session_id).toMatch(/^1\./);
        expect(await learner.finish()).toMatchObject({ outcome: 'closed', code: 1000 });
        expect(learner.broken).toEqual([]);
      }
    };
    await say();

    // A session that began by TCP at the other goes on by datagrams.
    const begun = await sessionOf(url, 2);
    begun.frames(0, 9);
    await begun.until('ack', ({ next_seq }) => next_seq === 10);
    begun.cut();
    const { session_id, resume_token } = begun.of('ready')[0]!;
    const last_event_id = Math.max(...begun.events.map(({ event_id }) => event_id));
    const { client, socket } = await byQuic(url);
    client.send({ type: 'resume', session_id, resume_token, last_event_id });
    expect(await client.until('ready')).toMatchObject({ session_id, resumed: true });
    for (let seq = 10; seq < 20; seq++) socket.sendDatagram(frame(seq));
    await client.until('ack', ({ next_seq }) => next_seq === 20);
    client.cut();

    const [first] = childrenOf(child.pid!);
    process.kill(first!, 'SIGKILL');
    await expect
      .poll(() => metricsByTls(url).catch(() => ''), { timeout: 20_000 })
      .toMatch(/gateway_restarts_total\{gateway="1"\} 1\n(.*\n)*.*gateway_ready\{gateway="1"\} 1\n/);
    await say();
  }, 60_000);
});

async function start(): Promise<{ child: ChildProcess; url: string }> {
  const golden = `${import.meta.dirname}/../kit/golden/localhost`;
  const tls = ['--tls-cert', `${golden}.cert.pem`, '--tls-key', `${golden}.key.pem`];
  const flags = ['--port', '0', '--device', 'cpu', '--log-level', 'silent', '--gateways', '2', '--quic', '0'];
  const child = spawn(process.execPath, [bin, 'serve', ...flags, ...tls], { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  for await (const chunk of child.stdout) {
    const url = /ready at (wss:\S+)/.exec(String(chunk))?.[1];
    if (url !== undefined) return { child, url: url.replace('127.0.0.1', 'localhost') };
  }
  throw new Error('the server ended before it was ready');
}

/** A session by TCP that this gateway has: connections go where there is most room. */
async function sessionOf(url: string, gateway: number): Promise<TestClient> {
  for (let triesLeft = 20; triesLeft > 0; triesLeft--) {
    const client = await connect(url);
    client.send(startMessage());
    const { session_id } = await client.until('ready');
    if (session_id.startsWith(`${gateway}.`)) return client;
  }
  throw new Error(`gateway ${gateway} was handed nobody`);
}

async function byQuic(url: string): Promise<{ client: TestClient; socket: QuicSocket }> {
  const port = Number(new URL(url).port);
  const socket = dialQuic({ host: 'localhost', port, insecure: true, handshakeMs: 5000 });
  return { socket, client: await connect(url.replace('wss', 'ws'), { over: socket }) };
}

/** 20 ms of silence. */
function frame(seq: number): Buffer {
  return encodeFrame({
    ...{ codec: 'pcm_s16le', flags: 0, epoch: 0, seq, firstSample: seq * 320 },
    payload: new Uint8Array(640),
  });
}

describe('speechfb stream --transport', () => {
  it('is refused where the URL is not encrypted', async () => {
    const args = ['stream', 'fixtures/audio/busy.wav', '--text', 'a', '--url', 'ws://127.0.0.1:1'];
    const { code, stdout, stderr } = await runProgram([...args, '--transport', 'quic-stream']);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toBe(
      'speechfb: --transport quic-stream needs a wss:// URL, but --url is ws://127.0.0.1:1/v1/stream [bad_flag]\n',
    );
  });
});
