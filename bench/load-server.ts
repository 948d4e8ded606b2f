import type { AddressInfo } from 'node:net';
import { parseArgs } from 'node:util';
import { type WebSocket, WebSocketServer } from 'ws';
import { Felt } from './load/felt.ts';
import { serveRiva } from './load/riva-server.ts';

// A server with almost no work of its own, for benchmarks of load generators: prints its URL and serves until SIGTERM, when it
// prints what phones on an absolute schedule of 20 ms felt.
//   npm run bench load-server -- --stall-at 10000 --stall-for 1000
// At /v1/listen, /v1/realtime and /replies it speaks enough of Deepgram's protocol, OpenAI's and Vosk's, an answer a frame.
// At /v1/stream it speaks enough of speechfb.v1 for the load test: an ack each 200 ms of sound, feedback without phones each
// emit interval, a final when asked. At any other path it sends every message back as it came. `--stall-at` ms after the
// first connection its only thread stands still for `--stall-for` ms, as in a long collection of garbage.
const { values } = parseArgs({
  options: {
    port: { type: 'string', default: '0' },
    'stall-at': { type: 'string', default: '0' },
    'stall-for': { type: 'string', default: '0' },
    // Speak Riva's protocol over gRPC, and nothing else.
    riva: { type: 'boolean', default: false },
  },
});
const stall = { atMs: Number(values['stall-at']), forMs: Number(values['stall-for']) };
const felt = new Felt(20);

let hasCallers = false;

/** The server stands still some time after the first caller came. */
function called(): (atMs: number) => void {
  if (!hasCallers && stall.forMs > 0) {
    const stand = () => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, stall.forMs);
    setTimeout(stand, stall.atMs);
  }
  hasCallers = true;
  return felt.phone();
}

if (values.riva) process.stdout.write(`${await serveRiva(called)}\n`);
else serveWebSockets();

process.on('SIGTERM', () => {
  process.stdout.write(`felt ${JSON.stringify(felt.summary())}\n`, () => process.exit());
});
let sessions = 0;

function serveWebSockets(): void {
  const server = new WebSocketServer({
    port: Number(values.port),
    host: '127.0.0.1',
    perMessageDeflate: false,
    skipUTF8Validation: true,
  });
  server.on('listening', () => {
    process.stdout.write(`ws://127.0.0.1:${(server.address() as AddressInfo).port}/v1/stream\n`);
  });
  server.on('connection', (socket, request) => {
    const answered = called();
    const { pathname } = new URL(request.url ?? '/', 'ws://localhost');
    const foreign = foreignSessions[pathname];
    if (pathname === '/v1/stream') serveSession(socket, answered);
    else if (foreign) foreign(socket, answered);
    else {
      socket.on('message', (data, binary) => {
        answered(performance.now());
        socket.send(data, { binary });
      });
    }
  });
}

function serveSession(socket: WebSocket, answered: (atMs: number) => void): void {
  const session = `s${sessions++}`;
  let eventId = 0;
  let frames = 0;
  let audioMs = 0;
  let toldMs = 0;
  let emitMs = 100;
  let utterance = 1;
  const send = (type: string, rest: string) => {
    eventId += 1;
    socket.send(`{"event_id":${eventId},"audio_ms":${audioMs},"type":"${type}",${rest}}`);
  };
  const ack = () => send('ack', `"epoch":0,"next_seq":${frames},"missing":[],"buffered_ms":0`);
  socket.on('message', (data: Buffer, binary) => {
    if (binary) {
      answered(performance.now());
      frames += 1;
      audioMs = (data.readUInt32LE(16) + (data.length - 24) / 2) / 16;
      if (frames % 10 === 0) ack();
      if (audioMs - toldMs < emitMs) return;
      toldMs += emitMs;
      send('phoneme_feedback', `"utterance_id":${utterance},"rev":${eventId},"phonemes":[],"timing":${timing}`);
      return;
    }
    const message = JSON.parse(String(data));
    if (message.type === 'start') {
      emitMs = message.emit_interval_ms ?? emitMs;
      send('ready', `"session_id":"${session}","resume_token":"t","utterance_id":1,${ready}`);
    } else if (message.type === 'finalize') {
      ack();
      toldMs = audioMs;
      send('utterance_final', `"utterance_id":${utterance},"marker":"${message.marker}",${final}`);
    } else if (message.type === 'next_utterance') utterance += 1;
    else if (message.type === 'close') socket.close(1000);
  });
}

type ServeForeign = (socket: WebSocket, answered: (atMs: number) => void) => void;

/** Other protocols, as far as a load test needs them: every frame has an answer, every end a final. */
const foreignSessions: Readonly<Record<string, ServeForeign>> = {
  '/v1/listen': (socket, answered) => {
    let audioS = 0;
    const results = (more: string) =>
      socket.send(
        `{"type":"Results","start":0,"duration":${audioS},"channel":{"alternatives":[{"transcript":"a","words":[]}]}${more}}`,
      );
    socket.on('message', (data: Buffer, binary) => {
      if (binary) {
        answered(performance.now());
        audioS += data.length / 32_000;
        results('');
      } else if (String(data).includes('Finalize')) results(',"is_final":true,"from_finalize":true');
      else if (String(data).includes('CloseStream')) socket.close(1000);
    });
  },
  '/v1/realtime': (socket, answered) => {
    const say = (type: string, more: string) => socket.send(`{"type":"${type}","item_id":"i"${more}}`);
    const transcription = 'conversation.item.input_audio_transcription';
    say('session.created', ',"session":{}');
    socket.on('message', (data: Buffer) => {
      if (data.includes('input_audio_buffer.append')) {
        answered(performance.now());
        say(`${transcription}.delta`, ',"delta":""');
      } else if (data.includes('session.update')) say('session.updated', '');
      else {
        say('input_audio_buffer.committed', '');
        say(`${transcription}.completed`, ',"transcript":"a"');
      }
    });
  },
  '/replies': (socket, answered) => {
    socket.on('message', (data: Buffer, binary) => {
      if (binary) {
        answered(performance.now());
        socket.send('{"partial":"a"}');
      } else if (data.includes('eof')) socket.send('{"text":"a"}');
    });
  },
};

const timing = '{"ingress":0.01,"queue":0.02,"features":0.01,"asr":0.03,"scoring":0.01,"emit":0.01}';
const ready =
  '"resume_ttl_ms":30000,"next_seq":0,"epoch":0,"resumed":false,"limits":{"max_frame_bytes":65536,"max_session_ms":3600000,' +
  '"idle_timeout_ms":60000,"max_buffered_ms":15000},"model":{"name":"none","version":"1","provider":"none","lookahead_ms":0,' +
  '"phones":[]},"reference":{"words":[]}';
const final =
  '"reason":"finalize","timing":{},"scores":{"accuracy":null,"fluency":null,"completeness":null,"pronunciation":null},' +
  '"words":[],"deviations":[],"pace":{"words_per_minute":0,"speech_ms":0,"pause_ms":0,"longest_pause_ms":0,"pauses":0},' +
  '"final_lag_ms":{"p50":0,"p95":0,"max":0}';
