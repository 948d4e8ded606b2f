import { createRequire } from 'node:module';
import { SpeechfbError } from '../errors.ts';
import type { Dialect } from './dialect.ts';
import { firstLine, guarded, whatGoesWrong } from './module-speaker.ts';

/**
 * The dialect that a module in a file gives: its default export, or what that returns for the
 * options if it is a function. The code runs with all that this process may do. Throws `bad_module`
 * for a module that cannot be loaded, or whose export is no dialect.
 */
export function loadModule(file: string, options: Readonly<Record<string, unknown>>): Dialect {
  const given = exportOf(file);
  const problem = (message: string, cause?: unknown) =>
    new SpeechfbError('bad_module', `"${file}" ${message}`, cause === undefined ? {} : { cause });
  let dialect: unknown;
  try {
    dialect = typeof given === 'function' ? given(options) : given;
  } catch (cause) {
    throw problem(`makes no dialect of its options: ${firstLine(cause)}`, cause);
  }
  const lacks = whatLacks(dialect) ?? whatGoesWrong(dialect as Dialect);
  if (lacks === undefined) return guarded(dialect as Dialect);
  throw problem(`exports no dialect: ${lacks}`);
}

function exportOf(file: string): unknown {
  try {
    const module: { default?: unknown } = createRequire(import.meta.url)(file);
    return module.default;
  } catch (cause) {
    throw new SpeechfbError('bad_module', `"${file}" cannot be loaded: ${whyNotLoaded(cause)}`, { cause });
  }
}

/** What Node says of it, where that helps. */
function whyNotLoaded(cause: unknown): string {
  const words = firstLine(cause);
  return /top-level await/.test(words)
    ? 'it awaits outside of its functions, and a dialect has to be there at once'
    : words;
}

/** What a value lacks to be a dialect; undefined for one. */
function whatLacks(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null)
    return 'its default export is no object, nor a function that gives one';
  const { name, audio, tells, connect, speaker } = value as Partial<Record<keyof Dialect, unknown>>;
  if (typeof name !== 'string') return 'name is no text';
  const sound = audio as Partial<Dialect['audio']> | undefined;
  if (!['pcm_s16le', 'pcm_f32le', 'mulaw'].includes(`${sound?.encoding}`))
    return 'audio.encoding is none of pcm_s16le, pcm_f32le, mulaw';
  if (!(Number(sound?.sampleRateHz) > 0)) return 'audio.sampleRateHz is no number above 0';
  if (!(Number(sound?.messageMs) > 0)) return 'audio.messageMs is no number above 0';
  const told = tells as Partial<Dialect['tells']> | undefined;
  if (!['field', 'replies', 'words', 'final'].includes(`${told?.reach}`))
    return 'tells.reach is none of field, replies, words, final';
  if (typeof connect !== 'function') return 'connect is no function';
  return typeof speaker === 'function' ? undefined : 'speaker is no function';
}
