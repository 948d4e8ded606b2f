import { SpeechfbError } from './errors.ts';

/** `parse` for the value of one flag: what it refuses names the flag too. */
export function flag<Value>(name: string, parse: (text: string) => Value): (text: string) => Value {
  return (text) => {
    try {
      return parse(text);
    } catch (error) {
      if (!(error instanceof SpeechfbError)) throw error;
      const hint = error.hint === undefined ? {} : { hint: error.hint };
      throw new SpeechfbError(error.code, `${name}: ${error.message}`, { ...hint, cause: error });
    }
  };
}

/**
 * Every value of a flag that may be repeated; what several of them are refused for comes at once.
 */
export function every<Value>(texts: readonly string[], parse: (text: string) => Value): Value[] {
  const refused: SpeechfbError[] = [];
  const values = texts.flatMap((text) => {
    try {
      return [parse(text)];
    } catch (error) {
      if (!(error instanceof SpeechfbError)) throw error;
      refused.push(error);
      return [];
    }
  });
  const [first, ...others] = refused;
  if (!first) return values;
  if (others.length === 0) throw first;
  const problems = refused.map(({ message }) => ({ message }));
  throw new SpeechfbError(first.code, `${refused.length} flags have problems`, {
    problems,
    ...(first.hint && { hint: first.hint }),
  });
}

/** A whole number from `least` to `most`. Errors: `bad_flag`. */
export function wholeNumber(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
    if (value >= least && value <= most) return value;
    throw new SpeechfbError('bad_flag', `"${text}" is not a whole number; allowed: ${least} to ${most}`);
  };
}
