import { connect, type Socket } from 'node:net';
import { WebSocket } from 'ws';
import { encodeFrame } from '../../src/protocol/frame.ts';
import { byteAttacks } from './byte-attacks.ts';
import { slyAttacks } from './sly-attacks.ts';
import { buzzingFrame, every, open, raw, say, sendFrame, session, speak, startOf } from './speaker.ts';
import { type Attack, again, type Target } from './target.ts';
import { trunkAttacks } from './trunk-attacks.ts';

/** As many words as a text may have, in as few characters as it may have. */
const words = ['seven', 'music', 'people', 'nation', 'travel', 'history'];
const longText = Array.from({ length: 500 }, (_, i) => words[i % words.length]).join(' ');

/** 500 words with 40 phones each: what the protocol's limits of a message let through. */
const manyPhones = Array.from({ length: 500 }, (_, i) => ({
  text: `word${'abcdefghij'[i % 10]}`,
  phones: Array.from({ length: 40 }, (_, k) => ['AA', 'T', 'IY', 'S', 'N', 'OW', 'L'][(i + k) % 7]),
}));

/** A server that lets 10,000 in and leaves them alone. */
const thousands = {
  serve: [
    ['max_connections', 10_200],
    ['max_sessions', 10_200],
    ['fixed_sessions', 10_200],
    ['starts_per_second', 1000],
    ['start_burst', 12_000],
    ['place_share', 1],
    ['rate_share', 1],
    ['start_timeout_ms', 600_000],
    ['idle_timeout_ms', 600_000],
  ].flatMap(([name, value]) => ['--limit', `${name}=${value}`]),
  learners: 50,
  leadSeconds: 30,
  mostMegabytes: 1500,
  openFiles: 10_500,
} as const;

/** Every attack on a running server; each stays within what the handshake lets anybody do. */
export const attacks: readonly Attack[] = [
  {
    name: 'next-utterance',
    what: 'one socket: start of 500 words, then 90 next_utterance of them, again and again',
    tokens: false,
    run: (target) => nextUtterances(target, 1),
  },
  {
    name: 'next-utterance-10',
    what: 'the same from 10 sockets',
    tokens: false,
    run: (target) => nextUtterances(target, 10),
  },
  {
    name: 'next-utterance-sound',
    what: 'the same with 100 ms of sound between',
    tokens: false,
    run: (target) => nextUtterances(target, 2, 100),
  },
  {
    name: 'many-phones',
    what: '500 words of 40 phones each, and sound in real time, from 4 sockets',
    tokens: false,
    run: (target) => again(4, () => session(target, { words: manyPhones }, (socket) => speak(target, socket, 1))),
  },
  {
    name: 'long-text',
    what: '500 ordinary words, and sound in real time, from 8 sockets',
    tokens: false,
    run: (target) => again(8, () => session(target, { text: longText }, (socket) => speak(target, socket, 1))),
  },
  {
    name: 'start-close',
    what: 'start and close of 500 words, 25 a second, without sound',
    tokens: false,
    run: (target) => {
      setInterval(() => {
        session(target, { text: longText }, (socket) => say(target, socket, { type: 'close' }));
      }, 40);
    },
  },
  {
    name: 'ahead',
    what: '14 s of sound at once, and again in a new session, from 10 sockets',
    tokens: false,
    run: (target) =>
      again(10, () =>
        session(target, { text: longText }, (socket) => {
          for (let seq = 0; seq < 700; seq++) sendFrame(target, socket, seq);
          say(target, socket, { type: 'close', last_seq: 699 });
        }),
      ),
  },
  {
    name: 'finalize',
    what: '20 finalize and 20 next_utterance a second with sound, from 4 sockets',
    tokens: false,
    run: (target) =>
      again(4, () =>
        session(target, { text: longText }, (socket) => {
          speak(target, socket, 1);
          const timer = setInterval(() => {
            if (socket.readyState !== WebSocket.OPEN) return clearInterval(timer);
            say(target, socket, { type: 'finalize', marker: 'm'.repeat(128) });
            say(target, socket, { type: 'next_utterance', reference: { text: longText } });
          }, 100);
        }),
      ),
  },
  {
    name: 'pings',
    what: '10,000 pings a second on one socket',
    tokens: false,
    run: (target) => floods(target, 'ping'),
  },
  {
    name: 'pongs',
    what: '10,000 pongs a second on one socket',
    tokens: false,
    run: (target) => floods(target, 'pong'),
  },
  {
    name: 'resumes',
    what: 'resumes with wrong tokens, 500 a second',
    tokens: false,
    run: (target) => {
      const message = { type: 'resume', session_id: 'x'.repeat(20), resume_token: 'y'.repeat(40), last_event_id: 0 };
      setInterval(() => {
        const socket = open(target);
        socket.on('open', () => say(target, socket, message));
      }, 2);
    },
  },
  {
    name: 'big-errors',
    what: 'messages of 200 kB that are refused, 10 a second from 10 sockets',
    tokens: false,
    run: (target) => {
      const names = Object.fromEntries(Array.from({ length: 12_000 }, (_, i) => [`unknown_${i}`, 1]));
      again(10, () => {
        const socket = open(target);
        socket.on('open', () => say(target, socket, { type: 'start', ...names }));
        return socket;
      });
    },
  },
  {
    name: 'broken-frames',
    what: '300 frames a second with a wrong checksum, from 5 sockets',
    tokens: false,
    run: (target) =>
      again(5, () =>
        session(target, { text: 'hello' }, (socket) => {
          const frame = encodeFrame({ ...buzzingFrame(0), seq: 0 });
          frame[12]! ^= 1;
          every(socket, 10, () => {
            for (let i = 0; i < 3; i++) raw(target, socket, frame);
          });
        }),
      ),
  },
  {
    name: 'slow-readers',
    what: '60 sockets that speak and read nothing',
    tokens: true,
    run: (target) =>
      again(60, () =>
        session(target, { text: longText }, (socket) => {
          // What arrives stays in the kernel's buffers, and then in the server's.
          (socket as unknown as { _socket: Socket })._socket.pause();
          speak(target, socket, 1);
        }),
      ),
  },
  {
    name: 'one-token',
    what: 'one token starts every session that it gets, 100 a second',
    tokens: true,
    run: (target) => greedy(target, false),
  },
  {
    name: 'start-flood',
    what: '200 starts of 500 words a second, each on a socket of its own, whatever is answered',
    tokens: true,
    run: (target) => {
      setInterval(() => {
        for (let start = 0; start < 2; start++) {
          const socket = open(target);
          socket.on('open', () => say(target, socket, startOf({ text: longText })));
        }
      }, 10);
    },
  },
  {
    name: 'one-token-cut',
    what: 'the same, and its sockets are cut, so that its sessions wait for resumes',
    tokens: true,
    run: (target) => greedy(target, true),
  },
  {
    name: 'bad-starts',
    what: 'starts whose text is refused, 200 a second',
    tokens: true,
    run: (target) => {
      setInterval(() => {
        const socket = open(target);
        socket.on('open', () => say(target, socket, startOf({ text: '%%% ###' })));
      }, 5);
    },
  },
  {
    name: 'no-token',
    what: '2,000 WebSockets without a token, kept open as long as the server lets them',
    tokens: true,
    run: (target) => {
      const stranger = { ...target, token: undefined };
      again(2000, () => open(stranger), 500);
    },
  },
  {
    name: 'half-open',
    what: '2,000 connections that send half a request',
    tokens: true,
    run: ({ url }) => {
      const { hostname, port } = new URL(url);
      again(2000, () => {
        const socket = connect(Number(port), hostname, () =>
          socket.write('GET /v1/stream HTTP/1.1\r\nHost: x\r\nX-A: '),
        );
        return socket;
      });
    },
  },
  {
    name: 'idle-sockets',
    what: '10,000 WebSockets with a token that never start, opened 500 a second',
    tokens: true,
    run: (target) => again(10_000, () => open(target), 500),
  },
  {
    name: 'silent-starts',
    what: 'sessions that start and send no sound, 50 a second, 300 at once',
    tokens: true,
    run: (target) => again(300, () => session(target, { text: longText }, () => {}), 50),
  },
  {
    name: 'wrong-resumes',
    what: 'resumes of sessions that are there with wrong tokens, 500 a second',
    tokens: true,
    run: (target) => {
      const ids: string[] = [];
      again(4, () => {
        const socket = session(target, { text: 'hello' }, () => {});
        socket.on('message', (data) => {
          const id = /"session_id":"([^"]+)"/.exec(String(data))?.[1];
          if (id !== undefined) ids.push(id);
        });
        return socket;
      });
      setInterval(() => {
        const session_id = ids.at(-1);
        if (session_id === undefined) return;
        const socket = open({ ...target, url: `${target.url}?resume=${session_id}` });
        const message = { type: 'resume', session_id, resume_token: 'y'.repeat(43), last_event_id: 0 };
        socket.on('open', () => say(target, socket, message));
      }, 2);
    },
  },
  {
    name: 'idle-10k',
    what: '10,000 WebSockets with a token, all let in, that never start; 50 learners beside them',
    tokens: true,
    ...thousands,
    run: (target) => again(10_000, () => open(target), 500),
  },
  {
    name: 'idle-10k-sessions',
    what: '10,000 sessions with a token, all let in, that send no sound; 50 learners beside them',
    tokens: true,
    ...thousands,
    run: (target) => again(10_000, () => session(target, { text: 'hello' }, () => {}), 500),
  },
  ...slyAttacks,
  ...byteAttacks,
  ...trunkAttacks,
];

function nextUtterances(target: Target, sockets: number, soundMs = 0): void {
  again(sockets, () =>
    session(target, { text: longText }, (socket) => {
      let seq = 0;
      const burst = (count: number) => {
        for (let i = 0; i < count; i++) {
          for (let ms = 0; ms < soundMs; ms += 20) sendFrame(target, socket, seq++);
          say(target, socket, { type: 'next_utterance', reference: { text: longText } });
        }
      };
      burst(90);
      every(socket, 1000, () => burst(19));
    }),
  );
}

function floods(target: Target, kind: 'ping' | 'pong'): void {
  again(1, () =>
    session(target, { text: 'hello' }, (socket) => {
      every(socket, 10, () => {
        for (let i = 0; i < 100; i++) socket[kind]();
        target.seen.sent += 200;
      });
    }),
  );
}

function greedy(target: Target, cut: boolean): void {
  setInterval(() => {
    session(target, { text: 'hello' }, (socket) => {
      if (cut) socket.terminate();
      else every(socket, 10_000, () => say(target, socket, { type: 'keep_alive' }));
    });
  }, 10);
}
