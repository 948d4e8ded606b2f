import type { ConnectRequest, Dialect, GrpcMethod, Reach, SessionInput } from './dialect.ts';
import { grpcMethod } from './grpc-method.ts';
import { MappedSpeaker } from './mapped-speaker.ts';
import type { MappingSpec } from './mapping-schema.ts';
import { withValueAt } from './pointer.ts';
import type { ReadMapping } from './read-mapping.ts';
import { base64Between, type OutgoingMessage, type SoundFormat } from './sound.ts';
import { filledIn, type Variables } from './variables.ts';

/** The dialect that a mapping describes; `sampleRateHz`: instead of the mapping's own. */
export function mapped({ metadata, spec, call }: ReadMapping, sampleRateHz = spec.audio.sampleRate): Dialect {
  const method = call && grpcMethod(call);
  const audio = soundFormat(spec.audio, sampleRateHz, method);
  return {
    name: metadata.name,
    audio,
    tells: { reach: reachOf(spec), partials: spec.receive.some(({ is }) => is === 'partial') },
    connectionFor: spec.connect.for,
    ...(method && { carrier: 'grpc' }),
    connect: (session) => ({ ...requestOf(spec.connect, variablesOf(session)), ...(method && { grpc: method }) }),
    speaker: (session) => new MappedSpeaker(spec, audio, variablesOf(session)),
  };
}

/** From the best that its messages tell to the weakest. */
function reachOf({ receive, reach }: MappingSpec): Reach {
  if (receive.some(({ coversTo, words }) => coversTo ?? words?.end)) return 'field';
  return reach ?? (receive.some(({ is }) => is === 'partial') ? 'words' : 'final');
}

function soundFormat(
  { as, encoding, message: messageMs, of = {}, in: place }: MappingSpec['audio'],
  sampleRateHz: number,
  method: GrpcMethod | undefined,
): SoundFormat {
  const format: SoundFormat = { encoding, sampleRateHz, messageMs };
  if (!place || !(method || as === 'base64')) return format;
  const constant = filledIn(of, { sampleRate: sampleRateHz, language: '', reference: '', session: '' });
  if (method) {
    const message = (samples: Uint8Array): OutgoingMessage => method.encode(withValueAt(constant, place, samples));
    return { ...format, message };
  }
  const [before = '', after = ''] = JSON.stringify(withValueAt(constant, place, mark)).split(mark);
  return { ...format, message: base64Between(before, after) };
}

/** Stands where the sound will, while the message around it is written; no message has it. */
const mark = '\u{f8ff}sound\u{f8ff}';

function requestOf(connect: MappingSpec['connect'], variables: Variables): ConnectRequest {
  const { path, query = {}, headers = {}, subprotocols = [] } = connect;
  const [place, own] = (path === undefined ? '' : `${filledIn(path, variables, encodeURIComponent)}`).split('?', 2);
  const texts = (given: Readonly<Record<string, unknown>>) =>
    Object.fromEntries(Object.entries(given).map(([name, value]) => [name, `${filledIn(value, variables)}`]));
  return {
    ...(place && { path: place }),
    query: { ...Object.fromEntries(new URLSearchParams(own)), ...texts(query) },
    headers: texts(headers),
    subprotocols: subprotocols.map((one) => `${filledIn(one, variables)}`),
  };
}

function variablesOf({ sampleRateHz, language, reference, session }: SessionInput): Variables {
  return { sampleRate: sampleRateHz, language, reference: reference.text, session };
}
