import type { WordResult } from '../../protocol/result.ts';

/** Accuracies of the phones of a text, 0-100, by their place in it and by what they are. */
export type PhoneScores = ReadonlyMap<string, number>;

/** The phones that were scored; models that expect different phones in a place share none there. */
export function phoneScoresOf(words: readonly WordResult[]): PhoneScores {
  return new Map(
    words.flatMap(({ phonemes }, word) =>
      phonemes.flatMap(({ phoneme, accuracy }, place) =>
        accuracy === null ? [] : [[`${word}.${place} ${phoneme}`, accuracy] as const],
      ),
    ),
  );
}

/**
 * How far two models are apart on the phones that both have scored: their count, and the sum of the
 * differences without their signs; undefined: there are none.
 */
export function phonesApart(one: PhoneScores, other: PhoneScores): { compared: number; apart: number } | undefined {
  let [compared, apart] = [0, 0];
  for (const [place, accuracy] of one) {
    const beside = other.get(place);
    if (beside === undefined) continue;
    compared += 1;
    apart += Math.abs(accuracy - beside);
  }
  return compared > 0 ? { compared, apart: Number(apart.toFixed(1)) } : undefined;
}
