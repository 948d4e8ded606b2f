import { sampleRatesHz } from '../../protocol/client-messages.ts';

/** What a client of Deepgram's live API asks for in its URL, as far as this server does it. */
export type DeepgramQuery = {
  sampleRateHz: number;
  language: string;
  wantsInterim: boolean;
  wantsSpeechStarted: boolean;
  /** The pause that ends a segment, ms; undefined: none does. */
  endpointingMs: number | undefined;
  /** The gap behind a word that is told as UtteranceEnd, ms. */
  utteranceEndMs: number | undefined;
  /** What will be read, an utterance each; the last goes on. */
  references: readonly string[];
};

/** The query, or a sentence that says what is wrong with it. Unknown parameters are passed over. */
export function readDeepgramQuery(query: URLSearchParams): DeepgramQuery | string {
  const problem = refusedFeature(query) ?? badFormat(query) ?? badNumber(query);
  if (problem !== undefined) return problem;
  const references = query.getAll('reference').filter((text) => text.trim() !== '');
  if (references.length === 0) return needsReference;
  const bad = references.map(badReference).find((sentence) => sentence !== undefined);
  if (bad !== undefined) return bad;
  const endpointing = query.get('endpointing');
  return {
    sampleRateHz: Number(query.get('sample_rate')),
    language: query.get('language') ?? 'en-US',
    wantsInterim: query.get('interim_results') === 'true',
    wantsSpeechStarted: query.get('vad_events') === 'true',
    endpointingMs: endpointing === 'false' ? undefined : Number(Number(endpointing) || 0),
    utteranceEndMs: numberIn(query, 'utterance_end_ms'),
    references,
  };
}

/** Why a text cannot be a reference, before it is read. */
export function badReference(text: string): string | undefined {
  if (text.trim() === '') return 'reference holds no text';
  if (text.length <= mostLetters) return undefined;
  return `reference has ${text.length} letters; at most ${mostLetters} are read`;
}

const needsReference =
  'this server hears how a known text is read: the parameter reference= carries the text (one for each utterance)';
const mostLetters = 4000;

/** What would change the answer and is not done here, rather than left out without a word. */
function refusedFeature(query: URLSearchParams): string | undefined {
  const asked = refused.find((name) => !['', 'false', undefined].includes(query.get(name) ?? undefined));
  return asked && `${asked} is not done here: there is one speaker who reads a known text`;
}

const refused = [
  'multichannel',
  'diarize',
  'diarize_model',
  'callback',
  'redact',
  'search',
  'replace',
  'detect_entities',
];

function badFormat(query: URLSearchParams): string | undefined {
  const encoding = query.get('encoding');
  if (encoding !== 'linear16') {
    const given = encoding === null ? 'it is missing' : `"${encoding.slice(0, 40)}" is not`;
    return `encoding: ${given}; linear16 is read, raw and without a container`;
  }
  const rateHz = numberIn(query, 'sample_rate');
  if (rateHz === undefined || rateHz < sampleRatesHz.least || rateHz > sampleRatesHz.most) {
    return `sample_rate: ${sampleRatesHz.least} to ${sampleRatesHz.most} Hz are read, a whole number`;
  }
  const channels = query.get('channels') ?? '1';
  return channels === '1' ? undefined : 'channels: one is read';
}

function badNumber(query: URLSearchParams): string | undefined {
  const endpointing = query.get('endpointing');
  if (!['true', 'false', null].includes(endpointing) && numberIn(query, 'endpointing') === undefined) {
    return 'endpointing: false, or a pause in whole milliseconds';
  }
  const bad = query.has('utterance_end_ms') && (numberIn(query, 'utterance_end_ms') ?? 0) < leastUtteranceEndMs;
  return bad ? `utterance_end_ms: whole milliseconds, at least ${leastUtteranceEndMs}` : undefined;
}

const leastUtteranceEndMs = 1000;

function numberIn(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name);
  return text !== null && /^\d{1,6}$/.test(text) ? Number(text) : undefined;
}
