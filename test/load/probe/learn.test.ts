import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Heard } from '../../../src/dialects/dialect.ts';
import { likelyProtocol } from '../../../src/dialects/likely-protocol.ts';
import { mapped } from '../../../src/dialects/mapped.ts';
import { readMapping } from '../../../src/dialects/read-mapping.ts';
import { learn } from '../../../src/load/probe/learn.ts';
import { mappingYaml } from '../../../src/load/probe/learned-mapping.ts';
import { temporaryDirectory } from '../../kit/temporary-directory.ts';

const text = 'the quick brown fox jumps over it';
const words = text.split(' ');
const clip = { text, language: 'en-US', soundMs: 3500, speechBeginMs: 0 };

/** Each word is shown 200 ms behind its end, the final comes last; `coversMs` is what has been heard. */
type Step = { said: string; word: string; is: 'partial' | 'final'; coversMs: number; place: number };
const steps: Step[] = [
  ...words.map((word, place) => ({
    said: words.slice(0, place + 1).join(' '),
    word,
    is: 'partial' as const,
    coversMs: 500 * (place + 1),
    place,
  })),
  { said: text, word: '', is: 'final', coversMs: 3500, place: words.length },
];

const seen = (say: (step: Step) => unknown, around: { first?: unknown; last?: unknown } = {}) => {
  const messages = steps.flatMap((step) => {
    const said = say(step);
    return said === undefined ? [] : [{ atMs: step.coversMs + 200, raw: rawOf(said) }];
  });
  const first = around.first === undefined ? [] : [{ atMs: -50, raw: rawOf(around.first) }];
  const last = around.last === undefined ? [] : [{ atMs: 3900, raw: rawOf(around.last) }];
  return [...first, ...messages, ...last];
};

function rawOf(said: unknown): string | Uint8Array {
  return typeof said === 'string' || said instanceof Uint8Array ? said : JSON.stringify(said);
}

/** The learned mapping, read as its file is, and what it takes the messages for. */
function learned(messages: ReturnType<typeof seen>) {
  const found = learn(messages, clip);
  const audio = { encoding: 'pcm_s16le', sampleRateHz: 16_000, messageMs: 100 };
  const yaml = mappingYaml(found, { name: 'acme', path: '/stt', audio, first: [], last: ['{"cmd":"flush"}'] });
  const file = join(temporaryDirectory(), 'acme.yaml');
  writeFileSync(file, yaml);
  const dialect = mapped(readMapping(file), undefined);
  const session = { sampleRateHz: 16_000, language: 'en-US', reference: { text }, session: 'a' };
  const speaker = dialect.speaker(session);
  speaker.opened();
  const heard = messages.flatMap(({ atMs, raw }): Heard[] => {
    if (atMs >= 3500) speaker.utteranceOver();
    return [...speaker.heard(raw)];
  });
  return {
    yaml,
    found,
    dialect,
    heard,
    said: heard.flatMap((one) => ('text' in one ? [`${one.is} ${one.text}`] : [])),
  };
}

const whole = steps.map(({ is, said }) => `${is} ${said}`);

describe('a mapping that is learned', () => {
  it.each<[string, ReturnType<typeof seen>]>([
    ['types', seen(({ is, said }) => ({ type: is, text: said }))],
    [
      'types, beside words of greeting and an end',
      seen(({ is, said }) => ({ type: is, text: said }), { first: { type: 'ready', id: 'x' }, last: { type: 'bye' } }),
    ],
    ['a flag', seen(({ is, said }) => ({ result: { transcript: said, is_final: is === 'final' } }))],
    [
      'a flag among other flags',
      seen(({ is, said }) => ({
        ok: true,
        cached: false,
        alternatives: [{ transcript: said, confidence: 0.5 }],
        speech_final: is === 'final',
      })),
    ],
    ['fields', seen(({ is, said }) => ({ [is === 'final' ? 'text' : 'partial']: said }))],
    [
      'nested events',
      seen(({ is, said }) => ({
        event: { kind: is === 'final' ? 'utterance.completed' : 'utterance.updated' },
        data: { hypothesis: { words: said } },
      })),
    ],
    ['a status', seen(({ is, said }) => ({ status: is === 'final' ? 'COMPLETE' : 'IN_PROGRESS', said }))],
    [
      'lists of words',
      seen(({ is, said, coversMs }) => ({
        type: 'Turn',
        end_of_turn: is === 'final',
        words: said
          .split(' ')
          .map((word, k) => ({ text: word, start: 500 * k, end: Math.min(500 * (k + 1), coversMs) })),
      })),
    ],
    [
      'keys that a pointer must escape',
      seen(({ is, said }) => ({ 'a/b': { 'c~d': said }, 'is/final': is === 'final' })),
    ],
  ])('tells partial texts from final ones by %s', (_, messages) => {
    const { said, heard } = learned(messages);
    expect(said).toEqual(whole);
    expect(heard.filter(({ is }) => is === 'not understood')).toEqual([]);
  });

  it('puts pieces together, and takes a whole text at the end for what it is', () => {
    const say = ({ is, word, said }: Step) =>
      is === 'final'
        ? { type: 'transcription.done', text: said }
        : { type: 'transcription.delta', delta: word === words[0] ? word : ` ${word}` };
    expect(learned(seen(say)).said).toEqual(whole);
  });

  it('knows pieces without a final by what comes first behind the end', () => {
    const { said, found } = learned(seen(({ said: shown }) => ({ result: shown })));
    expect(said.at(-1)).toBe(`final ${text}`);
    expect(found.doubts[0]).toContain('nothing tells a partial text from a final one');
  });

  it('takes the only text of a server that waits for the end', () => {
    const { said } = learned(seen(({ is, said: shown }) => (is === 'final' ? { text: shown } : undefined)));
    expect(said).toEqual([`final ${text}`]);
  });

  it.each<[string, number, (step: Step) => object]>([
    ['seconds', 1000, ({ coversMs }) => ({ upto: coversMs / 1000 })],
    ['ms', 1, ({ coversMs }) => ({ upto: coversMs, stamp: 1.8e12 + coversMs })],
    ['ticks of 100 ns, behind a counter', 0.0001, ({ coversMs, place }) => ({ seq: place, upto: coversMs * 10_000 })],
    ['a beginning and a length', 1000, ({ coversMs }) => ({ start: 0.5, duration: coversMs / 1000 - 0.5 })],
  ])('finds how far a message reaches in %s', (_, _unit, more) => {
    const messages = seen((step) => ({ type: step.is, text: step.said, ...more(step) }));
    const { heard, dialect } = learned(messages);
    expect(dialect.tells.reach).toBe('field');
    const covers = heard.flatMap((one) =>
      'coversMs' in one && one.coversMs !== undefined ? [Math.round(one.coversMs)] : [],
    );
    expect(covers).toEqual(steps.map(({ coversMs }) => coversMs));
  });

  it('takes no number for a time that is ahead of the voice, falls, or stands still', () => {
    const messages = seen(({ is, said, place, coversMs }) => ({
      ...{ type: is, text: said, total: 3.5, left: 3.5 - coversMs / 1000, ahead: coversMs / 1000 + 1, seq: place },
    }));
    expect(learned(messages).dialect.tells.reach).toBe('words');
  });

  it('has a rule for errors, and for each other kind of message', () => {
    const messages = seen(({ is, said }) => ({ type: is, text: said }), {
      first: { type: 'session.begin', limits: { s: 60 } },
      last: { type: 'error', error: { message: 'no more' } },
    });
    const { heard } = learned(messages);
    expect(heard[0]).toEqual({ is: 'nothing' });
    expect(heard.at(-1)).toMatchObject({ is: 'error', message: 'no more' });
  });

  it('says what it could not read, and that nothing shows the text', () => {
    expect(
      learn(
        seen(() => Uint8Array.of(1, 2)),
        clip,
      ),
    ).toEqual({
      rules: [],
      doubts: [
        '8 of 8 messages are no JSON objects; they are left out',
        'no field shows words of the text: was the sound understood, and is --text what is read?',
      ],
    });
    expect(
      learn(
        seen(() => ({ type: 'tick', text: 'something else entirely' })),
        clip,
      ).rules,
    ).toMatchObject([{ is: 'nothing', seen: 8 }]);
  });
});

it.each<[protocol: string | undefined, messages: unknown[]]>([
  ['deepgram', [{ type: 'Results', channel: {}, start: 0 }, { type: 'Results' }]],
  ['openai-realtime', [{ type: 'session.created' }, { type: 'transcription.delta', delta: 'a' }]],
  ['vosk', [{ partial: 'a' }, { text: 'a b' }]],
  ['sherpa-onnx', [{ text: 'a', segment: 0, tokens: [], timestamps: [] }, 'Done!']],
  ['assemblyai-v3', [{ type: 'Begin' }, { type: 'Turn' }]],
  ['deepgram-flux', [{ type: 'Connected' }, { type: 'TurnInfo' }]],
  ['funasr', [{ mode: '2pass-online', text: 'a' }]],
  ['speechfb', [{ type: 'ready', event_id: 1, audio_ms: 0 }]],
  [undefined, [{ type: 'hello' }, { kind: 'result', text: 'a' }]],
  [undefined, ['no JSON', '[1]', Uint8Array.of(1), 'null']],
  [undefined, []],
])('looks like %s', (protocol, messages) => {
  expect(likelyProtocol(messages.map((one) => ({ raw: rawOf(one) })))).toBe(protocol);
});
