import { z } from 'zod';
import { plainSentence } from '../config/sentences.ts';
import { SpeechfbError } from '../errors.ts';
import type { WordEnd } from './word-ends.ts';

const times = z.array(
  z.object({
    text: z.string().min(1),
    end_ms: z
      .number()
      .nonnegative()
      .nullish()
      .transform((ms) => ms ?? undefined),
  }),
);

/**
 * The words of a manifest's line, `[{text, end_ms}]` in the order of the text; end_ms is absent or
 * null for a word that was not read. Undefined for `words` without any time, which are for others
 * to read. Throws `bad_manifest` for times that cannot be, each problem at its path in the line.
 */
export function readClipWords(given: unknown, durationMs: number): readonly WordEnd[] | undefined {
  if (!Array.isArray(given) || !given.some((word) => typeof word === 'object' && word !== null && 'end_ms' in word))
    return undefined;
  const parsed = times.safeParse(given, { error: plainSentence });
  if (!parsed.success) {
    const problems = parsed.error.issues.map(({ path, message }) => ({
      where: ['words', ...path].join('.'),
      message: `${message}; needed: text, end_ms`,
    }));
    throw badWords(problems);
  }
  let lastMs = 0;
  for (const [place, { end_ms: endMs }] of parsed.data.entries()) {
    if (endMs === undefined) continue;
    const wrong =
      endMs > durationMs
        ? `after the end of the recording at ${Math.round(durationMs)} ms`
        : endMs < lastMs && `before the word ahead of it, at ${lastMs} ms`;
    if (wrong) throw badWords([{ where: `words.${place}.end_ms`, message: `${endMs} ms is ${wrong}` }]);
    lastMs = endMs;
  }
  return parsed.data.map(({ text, end_ms }) => ({ text, endMs: end_ms }));
}

function badWords(problems: { where: string; message: string }[]): SpeechfbError {
  const message = problems.map(({ where, message }) => `${where}: ${message}`).join('; ');
  return new SpeechfbError('bad_manifest', message, { problems });
}
