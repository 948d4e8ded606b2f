import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Dialect, Speaker } from '../../src/dialects/dialect.ts';
import { mapped } from '../../src/dialects/mapped.ts';
import { readMapping } from '../../src/dialects/read-mapping.ts';
import { EncodedSound } from '../../src/dialects/sound.ts';
import { temporaryDirectory } from '../kit/temporary-directory.ts';

const scratch = temporaryDirectory();
const session = { sampleRateHz: 16_000, language: 'de-DE', reference: { text: 'eins zwei' }, session: 'id-7' };

/** A dialect with these parts of `spec`, in YAML. */
function dialectOf(spec: string): Dialect {
  const file = join(scratch, 'acme.yaml');
  const rules = spec.includes('receive:') ? '' : `\n${rulesOfText}`;
  const head = 'apiVersion: speechfb.dev/v1alpha1\nkind: StreamProtocol\nmetadata: { name: acme }\nspec:';
  writeFileSync(file, `${head}\n${spec.replace(/^/gm, '  ')}${rules.replace(/^(?=.)/gm, '  ')}\n`);
  return mapped(readMapping(file));
}

const rulesOfText =
  'receive:\n  - { when: { t: p }, is: partial, text: /x }\n  - { when: { t: f }, is: final, text: /x }';

function speakerOf(spec: string): Speaker {
  return dialectOf(spec).speaker(session);
}

function speak(speaker: Speaker, dialect: Dialect, frames: number): void {
  const pcm = new Uint8Array(32 * dialect.audio.messageMs * frames);
  const sound = new EncodedSound({ pcm, sampleRateHz: 16_000 }, dialect.audio, dialect.audio.messageMs);
  for (let i = 0; i < frames; i++) speaker.audio(sound, i);
}

const hear = (speaker: Speaker, ...messages: object[]) =>
  messages.flatMap((message) => speaker.heard(JSON.stringify(message)));

describe('a mapping fills in', () => {
  it('the four variables, in paths, queries and messages, a lone one as its value', () => {
    const dialect = dialectOf(
      'connect: { path: "/stt/{language}?rate={sampleRate}", query: { t: "{reference}" }, headers: { X-Id: "{session}" } }\n' +
        'open: [{ send: { rate: "{sampleRate}", text: "<{reference}>", raw: ["{language}"] } }, { send: \'{"eof" : 1}\' }]',
    );
    expect(dialect.connect(session)).toEqual({
      path: '/stt/de-DE',
      query: { rate: '16000', t: 'eins zwei' },
      headers: { 'X-Id': 'id-7' },
      subprotocols: [],
    });
    expect(dialect.speaker(session).opened()).toEqual([
      '{"rate":16000,"text":"<eins zwei>","raw":["de-DE"]}',
      '{"eof" : 1}',
    ]);
  });

  it('the text of the utterance that begins', () => {
    const speaker = speakerOf('utteranceBegin: [{ send: { say: "{reference}" } }]');
    expect(speaker.opened()).toEqual(['{"say":"eins zwei"}']);
    expect(speaker.next({ text: 'drei' })).toEqual(['{"say":"drei"}']);
  });

  it('base64 within the message that stands around it', () => {
    const { audio } = dialectOf('audio: { as: base64, in: /data/chunk, of: { rate: "{sampleRate}" } }');
    const sound = new EncodedSound({ pcm: new Uint8Array(640).fill(3), sampleRateHz: 16_000 }, audio, 20);
    const { text } = sound.at(0) as { text: Uint8Array };
    const message = JSON.parse(Buffer.from(text).toString());
    expect(message).toMatchObject({ rate: 16_000 });
    expect(Buffer.from(message.data.chunk, 'base64')).toEqual(Buffer.alloc(640, 3));
  });
});

describe('a mapping opens', () => {
  it('step by step, and is ready behind the last', () => {
    const speaker = speakerOf('open: [{ await: { t: hi } }, { send: a }, { await: { t: [ok, fine] } }, { send: b }]');
    expect([speaker.readyAtOnce, speaker.opened()]).toEqual([false, []]);
    expect(hear(speaker, { t: 'ok' })).toMatchObject([{ is: 'not understood' }]);
    expect(hear(speaker, { t: 'hi' })).toEqual([{ is: 'answer', send: ['a'] }]);
    expect(hear(speaker, { t: 'fine' })).toEqual([{ is: 'answer', send: ['b'] }, { is: 'ready' }]);
  });

  it('at once where it waits for nothing', () => {
    expect(speakerOf('open: [{ send: a }]').readyAtOnce).toBe(true);
  });
});

describe('what a mapped server says of an utterance', () => {
  it.each([
    [
      'segment',
      [
        ['p', 'eins'],
        ['f', 'eins'],
        ['p', 'zw'],
      ],
      'eins zw',
      4,
    ],
    [
      'whole',
      [
        ['p', 'eins'],
        ['p', 'eins zw'],
      ],
      'eins zw',
      0,
    ],
    [
      'delta',
      [
        ['p', 'ei'],
        ['p', 'ns'],
        ['f', 'eins'],
        ['p', 'zw'],
      ],
      'eins zw',
      4,
    ],
  ])('is put together where text is %s', (textIs, messages, text, settled) => {
    const partial = `receive:\n  - { when: { t: p }, is: partial, text: /x, textIs: ${textIs} }\n  - { when: { t: f }, is: final, text: /x }`;
    const speaker = speakerOf(partial);
    speaker.opened();
    const told = hear(speaker, ...messages.map(([t, x]) => ({ t, x })));
    expect(told.at(-1)).toEqual({ is: 'partial', utterance: 0, text, settled });
  });

  it('ends with the first final behind its end, and the next begins', () => {
    const speaker = speakerOf('utteranceOver: [{ send: flush }]');
    speaker.opened();
    hear(speaker, { t: 'f', x: 'eins' });
    expect(speaker.utteranceOver()).toEqual(['flush']);
    expect(hear(speaker, { t: 'p', x: 'zwei' }, { t: 'f', x: 'zwei' })).toMatchObject([
      { is: 'partial', text: 'eins zwei' },
      { is: 'final', utterance: 0, text: 'eins zwei', settled: 9 },
    ]);
    speaker.next({ text: 'b' });
    expect(hear(speaker, { t: 'p', x: 'drei' })).toMatchObject([{ utterance: 1, text: 'drei' }]);
  });

  it('ends with what says so alone, where something does', () => {
    const speaker = speakerOf(`${rulesOfText}\n  - { when: { t: end }, is: final, ends: true }`);
    speaker.opened();
    speaker.utteranceOver();
    expect(hear(speaker, { t: 'f', x: 'eins' }, { t: 'end' })).toMatchObject([
      { is: 'partial', text: 'eins', settled: 4 },
      { is: 'final', text: 'eins' },
    ]);
  });

  it('reaches as far as the message that it answers, where each has one answer', () => {
    const dialect = dialectOf('reach: replies\naudio: { message: 100ms }\nutteranceOver: [{ send: eof }]');
    const speaker = dialect.speaker(session);
    speaker.opened();
    speak(speaker, dialect, 2);
    speaker.utteranceOver();
    const said = hear(speaker, { t: 'p', x: '' }, { t: 'f', x: 'eins' }, { t: 'f', x: '' });
    expect(said).toMatchObject([
      { is: 'partial', coversMs: 100 },
      { is: 'partial', coversMs: 200, text: 'eins' },
      { is: 'final', coversMs: 200, text: 'eins' },
    ]);
    expect(dialect.tells).toEqual({ reach: 'replies', partials: true });
  });

  it.each([
    ['s', { a: 0.5, b: 0.25 }, 750],
    ['ms', { a: 500, b: '250' }, 750],
    ['us', { a: 500_000, b: 250_000 }, 750],
    ['ticks', { a: 5_000_000, b: 2_500_000 }, 750],
  ])('reaches to the sum of its fields in %s', (unit, fields, coversMs) => {
    const dialect = dialectOf(
      `receive:\n  - { when: { t: a }, is: ack, coversTo: [/a, /b], unit: ${unit} }\n  - { when: { t: f }, is: final }`,
    );
    expect(dialect.tells.reach).toBe('field');
    expect(hear(dialect.speaker(session), { t: 'a', ...fields })).toEqual([{ is: 'ack', coversMs }]);
  });

  it('counts from the utterance where the server does', () => {
    const dialect = dialectOf(
      'receive:\n  - { when: { t: p }, is: partial, text: /x, coversTo: /at, countsFrom: utterance }\n  - { when: { t: f }, is: final }',
    );
    const speaker = dialect.speaker(session);
    speaker.opened();
    speak(speaker, dialect, 5);
    speaker.utteranceOver();
    hear(speaker, { t: 'f' });
    speaker.next({ text: 'b' });
    expect(hear(speaker, { t: 'p', x: 'b', at: 0.05 })).toMatchObject([{ utterance: 1, coversMs: 150 }]);
  });

  it('is told word by word, with what settled of them', () => {
    const words = 'words: { at: /w, text: /x, end: /e, final: /ok, unit: ms }';
    const speaker = speakerOf(
      `receive:\n  - { when: { t: p }, is: partial, ${words} }\n  - { when: { t: f }, is: final, ${words} }`,
    );
    speaker.opened();
    const w = [
      { x: 'eins', e: 300, ok: true },
      { x: 'zw', e: 500 },
    ];
    expect(hear(speaker, { t: 'p', w })).toMatchObject([
      {
        text: 'eins zw',
        settled: 4,
        coversMs: 500,
        words: [
          { endMs: 300, final: true },
          { endMs: 500, final: false },
        ],
      },
    ]);
  });

  it('is its final where the server had ended the turn itself', () => {
    const speaker = speakerOf('utteranceOver: [{ send: flush }]');
    speaker.opened();
    hear(speaker, { t: 'f', x: 'eins' });
    expect(speaker.unanswered?.()).toBeUndefined();
    speaker.utteranceOver();
    expect(speaker.unanswered?.()).toMatchObject({ is: 'final', utterance: 0, text: 'eins' });
  });
});

describe('a mapping takes', () => {
  const rules = `${rulesOfText}
  - { when: { t: e }, is: error, message: /why/text, code: /no, retryAfter: /wait }
  - { when: { t: n }, is: nothing }
  - { when: "Bye!", is: nothing }
  - { has: /deep/list/1, is: nothing }`;
  it.each<[string, string | Uint8Array, object]>([
    [
      'an error',
      '{"t":"e","why":{"text":"full"},"no":7,"wait":2}',
      { is: 'error', message: 'full', code: '7', retryable: true, retryAfterMs: 2000 },
    ],
    ['an error without the words', '{"t":"e"}', { is: 'error', message: '{"t":"e"}' }],
    ['a text that is no JSON', 'Bye!\n', { is: 'nothing' }],
    ['what stands somewhere', '{"deep":{"list":[0,null]}}', { is: 'nothing' }],
    ['what stands nowhere', '{"deep":{"list":[0]}}', { is: 'not understood', problem: 'no rule matches it' }],
    ['another type', '{"type":"Results"}', { is: 'not understood', problem: 'no rule matches it: type is "Results"' }],
    [
      'a pointer into nowhere',
      '{"t":"p"}',
      { is: 'not understood', problem: 'spec.receive.0 matches it, but nothing fit stands at /x' },
    ],
    ['a number for a text', '{"t":"p","x":1}', { is: 'not understood' }],
    ['bytes', new Uint8Array(2), { is: 'not understood', problem: 'a binary message, where a text was due' }],
    [
      'another encoding',
      Buffer.from('{"type":"partial"}', 'utf16le').toString(),
      {
        is: 'not understood',
        problem: 'no JSON: it looks like UTF-16, where UTF-8 was due, and no rule is for that text',
      },
    ],
    ['no JSON', 'hello', { is: 'not understood', problem: 'no JSON, and no rule is for that text' }],
    ['a name of every object', '{"t":"constructor"}', { is: 'not understood' }],
  ])('%s for what it is', (_, message, heard) => {
    const speaker = speakerOf(rules);
    speaker.opened();
    expect(speaker.heard(message)).toMatchObject([heard]);
  });
});

describe('a mapping says', () => {
  it('that it is still there, in time and not before', () => {
    const speaker = speakerOf('keepAlive: { every: 5s, send: { t: alive } }');
    expect([speaker.quiet(4999), speaker.quiet(5000)]).toEqual([[], ['{"t":"alive"}']]);
  });

  it('silence as its sound, which the server counts', () => {
    const dialect = dialectOf('audio: { message: 100ms }\nutteranceOver: [{ silence: 250ms }]\nclose: [{ send: bye }]');
    const speaker = dialect.speaker(session);
    speaker.opened();
    expect(speaker.utteranceOver()).toEqual(Array(3).fill(new Uint8Array(3200)));
    expect(speaker.close()).toEqual(['bye']);
  });
});
