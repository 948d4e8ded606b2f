import { z } from 'zod';
import { despiteProblems, duration, integer, oneOf, section, text, word } from '../config/fields.ts';
import { isNot } from '../config/sentences.ts';
import { isObject } from './json.ts';
import { checkMapping } from './mapping-checks.ts';
import { type Pointer, parsePointer } from './pointer.ts';

/** A literal that a field of a message is compared with. */
type ComparedWith = string | number | boolean | null;

/** A message that is JSON with these literals at these places, or exactly this text. */
export type Condition = string | { pointer: Pointer; literals: readonly ComparedWith[] }[];

const pointer = text('a JSON Pointer such as /channel/text').transform((given, context): Pointer => {
  const parsed = parsePointer(given);
  if (parsed && parsed.length > 0) return parsed;
  context.addIssue({ code: 'custom', message: `"${given}" is no JSON Pointer; write it as /channel/text` });
  return z.NEVER;
});

const aLiteral = 'a text, a number, true, false or null';
const literal = z.union([z.string(), z.number(), z.boolean(), z.null()]);
const literals = z.union([literal.transform((one): ComparedWith[] => [one]), z.array(literal).min(1)], {
  error: (issue) => isNot(issue.input, `${aLiteral}, nor a list of such`, `${aLiteral}, or a list of such`),
});

const condition = z.union(
  [
    z.string().min(1),
    z.record(z.string(), literals).transform((given, context) =>
      Object.entries(given).map(([key, expected]) => {
        const place = key.startsWith('/') ? parsePointer(key) : [key];
        if (place) return { pointer: place, literals: expected };
        context.addIssue({ code: 'custom', path: [key], message: 'is no JSON Pointer; write it as /channel/text' });
        return z.NEVER;
      }),
    ),
  ],
  { error: (issue) => isNot(issue.input, 'a mapping such as {type: partial}, nor the text of a message') },
);

/** What is sent: a text as it stands, or a mapping that is sent as JSON. */
const message = z.unknown().refine((given) => (typeof given === 'string' && given !== '') || isObject(given), {
  error: (issue) => isNot(issue.input, 'a text, nor a mapping that is sent as JSON', 'a text, or a mapping'),
});

const silence = duration(10, 10_000);
const halfClose = z
  .literal(true, { error: () => 'is not true; leave it out' })
  .optional()
  .describe('Of grpc: nothing more is sent, and the server says the rest and ends the stream.');
const step = section({
  send: message.optional(),
  silence: silence.optional().describe('So much of it is sent at once.'),
  halfClose,
}).superRefine(exactlyOne(['send', 'silence', 'halfClose']), despiteProblems);
const closeStep = section({ send: message.optional(), halfClose }).superRefine(
  exactlyOne(['send', 'halfClose']),
  despiteProblems,
);
const openStep = section({
  send: message.optional(),
  await: condition.optional().describe('Nothing more is sent until a message like this has come.'),
}).superRefine(exactlyOne(['send', 'await']), despiteProblems);

const units = { s: 1000, ms: 1, us: 0.001, ticks: 0.0001 } as const;
const unit = oneOf(['s', 'ms', 'us', 'ticks']);

const words = section({
  at: pointer.describe('The list of words.'),
  text: pointer.describe('In one word.'),
  end: pointer.optional().describe('Where the word ends in the sound.'),
  final: pointer.optional().describe('True for a word that will not change.'),
  unit: unit.prefault('s'),
});

const kinds = ['ready', 'partial', 'final', 'ack', 'error', 'nothing'] as const;

const rule = section({
  when: condition.optional(),
  has: z
    .union([pointer.transform((one) => [one]), z.array(pointer).min(1)])
    .optional()
    .describe('Something stands there, whatever it is.'),
  is: oneOf(kinds),
  text: pointer.optional(),
  textIs: oneOf(['segment', 'whole', 'delta'])
    .optional()
    .describe('Of the sentence since the last final, of the whole utterance, or what is added.'),
  coversTo: z
    .union([pointer.transform((one) => [one]), z.array(pointer).min(1)])
    .optional()
    .describe('How far into the sound the message reaches; several are added up.'),
  unit: unit.optional().describe('Of coversTo; ticks are of 100 ns.'),
  countsFrom: oneOf(['connection', 'utterance']).optional().describe('Where times of the sound begin.'),
  words: words.optional(),
  ends: z.literal(true, { error: () => 'is not true; leave it out' }).optional(),
  message: pointer.optional(),
  code: pointer.optional(),
  retryAfter: pointer.optional().describe('Seconds.'),
});

/**
 * A protocol of JSON and sound over a WebSocket, or of a bidirectional stream of gRPC, as its YAML
 * file describes it.
 */
export const streamProtocol = section({
  apiVersion: word('speechfb.dev/v1alpha1'),
  kind: word('StreamProtocol'),
  metadata: section({
    name: text('a name').regex(/^[a-z0-9][a-z0-9-]*$/, {
      error: (issue) => isNot(issue.input, 'lower-case letters, digits and hyphens'),
    }),
    description: text('a sentence').optional(),
  }),
  spec: section({
    connect: section({
      path: text('a path such as /stt')
        .regex(/^\//, { error: (issue) => isNot(issue.input, 'a path that begins with /') })
        .optional()
        .describe('For a target.url without one; it may have a query.'),
      query: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).optional(),
      headers: z.record(z.string(), z.string()).optional(),
      subprotocols: z.array(text('a subprotocol')).optional(),
      for: oneOf(['session', 'utterance']).prefault('session').describe('How much one connection takes.'),
    }).prefault({}),
    grpc: section({
      proto: text('the path of a .proto file').describe('Relative to this file.'),
      service: text('the full name of a service, as nvidia.riva.asr.RivaSpeechRecognition'),
      method: text('the name of a method of it'),
    })
      .optional()
      .describe('The stream is a bidirectional one of gRPC; rules and messages are JSON of those in the .proto.'),
    audio: section({
      as: oneOf(['binary', 'base64'])
        .optional()
        .describe('Default: binary. Over gRPC the sound is the bytes field in of the message of.'),
      encoding: oneOf(['pcm_s16le', 'pcm_f32le', 'mulaw']).prefault('pcm_s16le'),
      sampleRate: integer(8000, 48_000)
        .multipleOf(50, { error: () => 'is no multiple of 50 Hz' })
        .prefault(16_000),
      message: duration(10, 1000).prefault('20ms').describe('Sound in one message.'),
      of: z.record(z.string(), z.unknown()).optional().describe('Of base64 and grpc: the message around the sound.'),
      in: pointer.optional().describe('Of base64 and grpc: where the sound stands in it.'),
    }).prefault({}),
    reach: oneOf(['replies', 'words', 'final'])
      .optional()
      .describe('How far a message reaches where no field says it; replies: one answer to each message sent.'),
    open: z.array(openStep).prefault([]),
    utteranceBegin: z.array(step).prefault([]),
    utteranceOver: z.array(step).prefault([]),
    keepAlive: section({ every: duration(500, 600_000), send: message.optional(), silence: silence.optional() })
      .superRefine(exactlyOne(['send', 'silence']), despiteProblems)
      .optional(),
    close: z.array(closeStep).prefault([]),
    receive: z.array(rule, { error: () => 'is not a list of rules such as {when: {type: final}, is: final}' }).min(1, {
      error: () => 'is empty: nothing that the server says would be understood',
    }),
  }).superRefine(checkMapping, despiteProblems),
});

export type Mapping = z.output<typeof streamProtocol>;
export type MappingSpec = Mapping['spec'];
export type Rule = MappingSpec['receive'][number];
export type MappingStep = MappingSpec['utteranceOver'][number];
export type Unit = keyof typeof units;

/** Milliseconds of one unit. */
export function msOfUnit(name: Unit): number {
  return units[name];
}

/** The JSON Schema (2020-12) that editors use; kept current in schemas/. */
export function streamProtocolJsonSchema(): object {
  return {
    title: 'speechfb StreamProtocol',
    ...z.toJSONSchema(streamProtocol, { io: 'input', target: 'draft-2020-12' }),
  };
}

function exactlyOne(names: readonly string[]) {
  return (given: Record<string, unknown>, context: z.RefinementCtx): void => {
    const count = names.filter((name) => given[name] !== undefined).length;
    if (count !== 1)
      context.addIssue({
        code: 'custom',
        message: `has ${count === 0 ? 'neither' : 'both'}; write one of ${names.join(', ')}`,
      });
  };
}
