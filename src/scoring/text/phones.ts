/** The 39 ARPAbet phones of the CMU dictionary, without stress. */
export const arpabet = [
  'AA',
  'AE',
  'AH',
  'AO',
  'AW',
  'AY',
  'B',
  'CH',
  'D',
  'DH',
  'EH',
  'ER',
  'EY',
  'F',
  'G',
  'HH',
  'IH',
  'IY',
  'JH',
  'K',
  'L',
  'M',
  'N',
  'NG',
  'OW',
  'OY',
  'P',
  'R',
  'S',
  'SH',
  'T',
  'TH',
  'UH',
  'UW',
  'V',
  'W',
  'Y',
  'Z',
  'ZH',
] as const;

const known: ReadonlySet<string> = new Set(arpabet);

/** `AH0`, `ah` or `AH` as `AH`; undefined when it is no ARPAbet phone. */
export function parsePhone(text: string): string | undefined {
  const phone = text.toUpperCase().replace(/[0-2]$/, '');
  return known.has(phone) ? phone : undefined;
}
