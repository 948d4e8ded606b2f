/**
 * Whether sessions leave anything behind: 200 sessions are started and ended ten times against `speechfb serve`, and its
 * resident memory is read after each round. Linux only (/proc). Run: npm run bench serve-memory [SESSIONS] [ROUNDS]
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { toS16le } from '../src/audio/pcm.ts';
import { readWav } from '../src/audio/wav.ts';
import { encodeFrame } from '../src/protocol/frame.ts';

const launcher = 'bin/speechfb';
const sessions = Number(process.argv[2] ?? 200);
const rounds = Number(process.argv[3] ?? 10);
const startsPerSecond = 40;
const frameMs = 20;
const soundMs = 2000;
const allowedGrowth = 0.05;
/** The server collects its garbage half a second after the last session. */
const settleMs = 2000;

const wav = readWav('fixtures/audio/leader.wav', { sampleRateHz: 16_000 });
const text = 'The conference will begin when the leader arrives.';
const pcm = toS16le(wav.samples.subarray(0, 16 * soundMs));

const child = spawn(process.execPath, [launcher, 'serve', '--port', '0', '--log-level', 'error'], {
  stdio: ['ignore', 'pipe', 'inherit'],
});
const [line] = await once(child.stdout, 'data');
const url = /ws:\S+/.exec(String(line))![0];
const idleMib = residentMib();
print(
  `idle ${idleMib.toFixed(1)} MiB; ${sessions} sessions a round, ${startsPerSecond} starts a second, ${soundMs / 1000} s of sound each`,
);
const after: number[] = [];
for (let round = 1; round <= rounds; round++) {
  await runRound();
  after.push(residentMib());
  const growth = after.at(-1)! / after[0]! - 1;
  print(
    `round ${String(round).padStart(2)}: ${after.at(-1)!.toFixed(1)} MiB, ${(100 * growth).toFixed(1)} % over the first`,
  );
}
child.kill('SIGTERM');
await once(child, 'exit');
const growth = after.at(-1)! / after[0]! - 1;
print(growth <= allowedGrowth ? 'flat' : `grew by ${(100 * growth).toFixed(1)} %: more than ${100 * allowedGrowth} %`);
process.exitCode = growth <= allowedGrowth ? 0 : 99;

/** Sessions start one after the other as fast as the server takes them, speak in real time, and end. */
async function runRound(): Promise<void> {
  const ended: Promise<void>[] = [];
  for (let i = 0; i < sessions; i++) {
    ended.push(speakAndClose(await open()));
    await wait(1000 / startsPerSecond);
  }
  await Promise.all(ended);
  await wait(settleMs);
}

async function open(): Promise<WebSocket> {
  const socket = new WebSocket(url, ['speechfb.v1'], { perMessageDeflate: false });
  await once(socket, 'open');
  const audio = { encoding: 'pcm_s16le', sample_rate: 16_000, channels: 1 };
  socket.send(JSON.stringify({ type: 'start', protocol: 'speechfb.v1', audio, reference: { text } }));
  const [ready] = await once(socket, 'message');
  if (JSON.parse(String(ready)).type !== 'ready') throw new Error(`refused: ${ready}`);
  return socket;
}

async function speakAndClose(socket: WebSocket): Promise<void> {
  const closed = once(socket, 'close');
  let finals = 0;
  socket.on('message', (data) => {
    if (String(data).includes('"utterance_final"')) finals += 1;
  });
  const frameBytes = (16_000 * 2 * frameMs) / 1000;
  for (let seq = 0; seq * frameBytes < pcm.length; seq++) {
    const payload = pcm.subarray(seq * frameBytes, (seq + 1) * frameBytes);
    const firstSample = (seq * frameBytes) / 2;
    socket.send(encodeFrame({ codec: 'pcm_s16le', flags: 0, epoch: 0, seq, firstSample, payload }));
    await wait(frameMs);
  }
  socket.send('{"type":"close"}');
  const [code] = await closed;
  if (code !== 1000 || finals !== 1) throw new Error(`a session ended with ${code} and ${finals} finals`);
}

function residentMib(): number {
  const [, kib] = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))!;
  return Number(kib) / 1024;
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}
