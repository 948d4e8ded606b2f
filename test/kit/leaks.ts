/** What must be nowhere: words that were read, and sound. */
type Secrets = { words: readonly string[]; sound: readonly Uint8Array[] };

/** A piece of sound has so many bytes: as many are never the same by chance. */
export const pieceBytes = 24;

/**
 * What of the secrets stands in `bytes`: words in any case, also with `+` or `%20` in place of what is between them;
 * sound as it is, as hexadecimal digits, as Base64 of either alphabet, and as lists of bytes or of samples.
 */
export function leaksIn(bytes: Uint8Array, { words, sound }: Secrets): string[] {
  const buffer = Buffer.from(bytes);
  const text = buffer.toString('latin1');
  const lower = text.toLowerCase();
  return [
    ...words.filter((word) => new RegExp(`(?<![a-z])${word.toLowerCase()}(?![a-z])`).test(lower)),
    ...sound.flatMap((piece) => {
      const raw = Buffer.from(piece);
      const samples = Array.from({ length: raw.length / 2 }, (_, i) => raw.readInt16LE(2 * i));
      const forms: [string, boolean][] = [
        ['raw sound', buffer.includes(raw)],
        ['sound in hexadecimal', lower.includes(raw.toString('hex'))],
        ['sound in Base64', base64Of(raw).some((form) => text.includes(form))],
        ['sound as bytes', [',', ', '].some((between) => text.includes([...raw].join(between)))],
        ['sound as samples', [',', ', '].some((between) => text.includes(samples.join(between)))],
      ];
      return forms.filter(([, isThere]) => isThere).map(([form]) => form);
    }),
  ];
}

/** A piece in the midst of others: of the three ways in which it may lie only what it alone decides. */
function base64Of(piece: Buffer): string[] {
  return [0, 1, 2].flatMap((before) => {
    const whole = Buffer.concat([Buffer.alloc(before), piece])
      .toString('base64')
      .replace(/=+$/, '');
    const own = whole.slice(before === 0 ? 0 : 4, -2);
    return [own, own.replaceAll('+', '-').replaceAll('/', '_')];
  });
}
