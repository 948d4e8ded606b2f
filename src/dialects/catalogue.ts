import { z } from 'zod';
import { integer, oneOf, section, text } from '../config/fields.ts';
import { flattenIssues } from '../config/yaml.ts';
import { didYouMean } from '../suggest.ts';
import { type DeepgramOptions, deepgram } from './deepgram.ts';
import type { Dialect } from './dialect.ts';
import { mapped } from './mapped.ts';
import { loadModule } from './module.ts';
import { type OpenaiRealtimeOptions, openaiRealtime } from './openai-realtime.ts';
import { type ReadMapping, readMapping, shippedMappings } from './read-mapping.ts';

/** A dialect with its options, as plain data: it crosses to a process, which makes it again. */
export type DialectSpec =
  | { kind: 'openai-realtime'; options: OpenaiRealtimeOptions }
  | { kind: 'deepgram'; options: DeepgramOptions }
  | { kind: 'mapping'; mapping: ReadMapping; options: { sampleRateHz: number | undefined } }
  | { kind: 'module'; file: string; options: Readonly<Record<string, unknown>> };

/** What is wrong with `protocol` or its `options`, at its path beside them. */
export type ProtocolProblem = { path: readonly PropertyKey[]; message: string };

/** Protocols by name: our own, those in code, and the shipped mappings. */
const protocolNames: readonly string[] = ['speechfb', 'openai-realtime', 'deepgram', ...shippedMappings];

/** Whether the name is that of a file: `./acme.yaml`, `acme.mjs`. */
export function isProtocolFile(protocol: string): boolean {
  return /\.(ya?ml|mjs)$/.test(protocol);
}

/** What is wrong with the name of a protocol; undefined when there is one. */
export function protocolNameProblem(protocol: string): string | undefined {
  if (protocolNames.includes(protocol) || isProtocolFile(protocol)) return undefined;
  const allowed = `allowed: ${protocolNames.join(', ')}, the path of a .yaml of kind StreamProtocol, or of a .mjs`;
  return `"${protocol}" is no protocol${didYouMean(protocol, protocolNames)}; ${allowed}`;
}

/**
 * The dialect of a name, or of an absolute path, with options as they were written; undefined for
 * `speechfb`. Throws `unreadable_file` or `bad_config` for a mapping that is not as it should be.
 */
export function dialectSpec(
  protocol: string,
  options: Readonly<Record<string, unknown>> = {},
): { spec: DialectSpec | undefined } | { problems: readonly ProtocolProblem[] } {
  const name = protocolNameProblem(protocol);
  if (name !== undefined) return { problems: [{ path: ['protocol'], message: name }] };
  if (protocol === 'speechfb') {
    const given = Object.keys(options).length > 0;
    const message = 'are for other protocols; speechfb takes none';
    return given ? { problems: [{ path: ['options'], message }] } : { spec: undefined };
  }
  if (protocol === 'openai-realtime')
    return withOptions(openaiOptions, options, (read) => ({ kind: 'openai-realtime', options: read }));
  if (protocol === 'deepgram')
    return withOptions(deepgramOptions, options, (read) => ({ kind: 'deepgram', options: read }));
  if (protocol.endsWith('.mjs')) {
    const spec: DialectSpec = { kind: 'module', file: protocol, options };
    createDialect(spec);
    return { spec };
  }
  const mapping = readMapping(protocol);
  return withOptions(mappingOptions, options, (read) => ({ kind: 'mapping', mapping, options: read }));
}

/** Makes the dialect. Throws `bad_module` for a module that exports none. */
export function createDialect(spec: DialectSpec): Dialect {
  if (spec.kind === 'openai-realtime') return openaiRealtime(spec.options);
  if (spec.kind === 'deepgram') return deepgram(spec.options);
  if (spec.kind === 'mapping') return mapped(spec.mapping, spec.options.sampleRateHz);
  return loadModule(spec.file, spec.options);
}

const sampleRate = integer(8000, 48_000)
  .multipleOf(50, { error: () => 'is no multiple of 50 Hz' })
  .optional();

const openaiOptions = section({
  model: text('the name of a model').optional(),
  prompt: text('the prompt of the transcription').optional(),
  sampleRate,
  turnDetection: oneOf(['none', 'server_vad', 'semantic_vad']).prefault('none'),
}).transform(({ model, prompt, sampleRate: sampleRateHz, turnDetection }) => ({
  model,
  prompt,
  sampleRateHz,
  turnDetection,
}));

/** Parameters of the query that the dialect sets by itself. */
const oursOfDeepgram = ['encoding', 'sample_rate', 'channels', 'interim_results', 'multichannel', 'callback'];

const deepgramOptions = z
  .looseObject({ sampleRate }, { error: () => 'is not a mapping such as {model: nova-3}' })
  .superRefine(({ sampleRate: _, ...query }, context) => {
    for (const [name, value] of Object.entries(query)) {
      const problem = (message: string) => context.addIssue({ code: 'custom', path: [name], message });
      if (oursOfDeepgram.includes(name)) problem('is set by the protocol; leave it out');
      else if (!['string', 'number', 'boolean'].includes(typeof value))
        problem('is not a text, a number, true or false');
    }
  })
  .transform(({ sampleRate: sampleRateHz = 16_000, ...query }) => ({
    sampleRateHz,
    query: Object.fromEntries(Object.entries(query).map(([name, value]) => [name, `${value}`])),
  }));

const mappingOptions = section({ sampleRate }).transform(({ sampleRate: sampleRateHz }) => ({ sampleRateHz }));

function withOptions<S extends z.ZodType>(
  schema: S,
  options: unknown,
  make: (read: z.output<S>) => DialectSpec,
): { spec: DialectSpec } | { problems: readonly ProtocolProblem[] } {
  const read = schema.safeParse(options);
  if (read.success) return { spec: make(read.data) };
  const issues = flattenIssues(read.error.issues);
  return { problems: issues.map(({ path, message }) => ({ path: ['options', ...path], message })) };
}
