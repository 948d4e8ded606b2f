import { encodeFrame } from '../../src/protocol/frame.ts';
import { buzzingFrame, every, open, raw, say, sendFrame, session, speak, startOf } from './speaker.ts';
import { type Attack, again, type Target } from './target.ts';

/** As many letters as a text may have, in words that no lexicon has. */
const inventedText = Array.from({ length: 400 }, (_, i) => invented(i)).join(' ');
/** One word as long as a text may be. */
const oneWord = 'ough'.repeat(1000);

/** What the protocol allows, done as often as it allows. */
export const slyAttacks: readonly Attack[] = [
  {
    name: 'invented-words',
    what: 'next_utterance of 4,000 letters in words that no lexicon has, 19 a second, from 10 sockets',
    tokens: false,
    run: (target) => again(10, () => texts(target, inventedText)),
  },
  {
    name: 'endless-word',
    what: 'next_utterance of a word of 4,000 letters, 19 a second, from 10 sockets',
    tokens: false,
    run: (target) => again(10, () => texts(target, oneWord)),
  },
  {
    name: 'configs',
    what: 'config, 19 a second, from 100 sockets that speak',
    tokens: true,
    run: (target) =>
      again(100, () =>
        session(target, { text: 'hello' }, (socket) => {
          let turn = 0;
          speak(target, socket, 1);
          every(socket, 53, () => say(target, socket, { type: 'config', emit_interval_ms: turn++ % 2 ? 20 : 1000 }));
        }),
      ),
  },
  {
    name: 'finalize-only',
    what: 'finalize, 19 a second, from 100 sockets',
    tokens: true,
    run: (target) =>
      again(100, () =>
        session(target, { text: 'hello' }, (socket) => {
          every(socket, 53, () => say(target, socket, { type: 'finalize', marker: 'm' }));
        }),
      ),
  },
  {
    name: 'tiny-frames',
    what: 'frames of one sample, 390 a second, from 20 sockets',
    tokens: true,
    run: (target) =>
      again(20, () =>
        session(target, { text: 'hello' }, (socket) => {
          let seq = 0;
          const payload = buzzingFrame(0).payload.subarray(0, 2);
          every(socket, 10, () => {
            for (let i = 0; i < 4 && seq % 400 < 390; i++, seq++) {
              raw(target, socket, encodeFrame({ ...buzzingFrame(0), seq, firstSample: seq, payload }));
            }
          });
        }),
      ),
  },
  {
    name: 'resume-storm',
    what: '50 sessions, each cut and resumed with its own token as fast as it is answered',
    tokens: true,
    run: (target) => again(50, () => resumedForEver(target)),
  },
  {
    name: 'unread-feedback',
    what: '200 sockets that speak, ask for feedback each 20 ms and read a byte now and then',
    tokens: true,
    run: (target) =>
      again(200, () =>
        session(target, { text: inventedText.slice(0, 400) }, (socket) => {
          say(target, socket, { type: 'config', emit_interval_ms: 20 });
          speak(target, socket, 1);
          let isOpen = false;
          every(socket, 500, () => {
            isOpen = !isOpen;
            if (isOpen) socket.resume();
            else socket.pause();
          });
        }),
      ),
  },
  {
    name: 'holes',
    what: 'every other frame missing, then all of them again, from 20 sockets',
    tokens: true,
    run: (target) =>
      again(20, () =>
        session(target, { text: inventedText }, (socket) => {
          let seq = 0;
          every(socket, 40, () => {
            sendFrame(target, socket, seq);
            if (seq % 100 === 98) for (let again = seq - 98; again <= seq; again++) sendFrame(target, socket, again);
            seq += 2;
          });
        }),
      ),
  },
];

function texts(target: Target, text: string) {
  return session(target, { text }, (socket) => {
    every(socket, 53, () => say(target, socket, { type: 'next_utterance', reference: { text } }));
  });
}

function resumedForEver(target: Target) {
  const first = open(target);
  let ready: { session_id: string; resume_token: string } | undefined;
  const follow = (socket: typeof first): void => {
    socket.on('message', (data) => {
      const text = String(data);
      if (!text.includes('"ready"')) return;
      ready = { ...ready, ...JSON.parse(text) };
      socket.terminate();
      const next = open({ ...target, url: `${target.url}?resume=${ready!.session_id}` });
      const { session_id, resume_token } = ready!;
      next.on('open', () => say(target, next, { type: 'resume', session_id, resume_token, last_event_id: 0 }));
      follow(next);
    });
  };
  first.on('open', () => say(target, first, startOf({ text: 'hello' })));
  follow(first);
  return first;
}

/** A word of seven to ten letters that can be said and means nothing. */
function invented(n: number): string {
  const syllables = ['ough', 'tio', 'eau', 'xqu', 'phth', 'gnei', 'rhy', 'czar'];
  return `${syllables[n % 8]}${syllables[(n >> 3) % 8]}${'abcdefgh'[(n >> 6) % 8]}`;
}
