/**
 * What the first bytes of a file that is no WAV look like, for error messages: `an MP3 file`,
 * `text`, ...
 */
export function looksLike(start: Uint8Array): string {
  const ascii = Buffer.from(start.subarray(0, 12)).toString('latin1');
  for (const [prefix, what] of magics) if (ascii.startsWith(prefix)) return what;
  if (ascii.slice(4, 8) === 'ftyp') return 'an MP4 or M4A file';
  if (ascii.startsWith('FORM') && /AIF[FC]/.test(ascii.slice(8))) return 'an AIFF file';
  if (start[0] === 0xff && (start[1]! & 0xf6) === 0xf0) return 'an AAC file';
  if (start[0] === 0xff && (start[1]! & 0xe0) === 0xe0) return 'an MP3 file';
  if (start.length > 0 && isText(start)) return 'text';
  return 'an unknown format';
}

const magics: readonly (readonly [string, string])[] = [
  ['ID3', 'an MP3 file'],
  ['OggS', 'an Ogg file (Vorbis or Opus)'],
  ['fLaC', 'a FLAC file'],
  ['RF64', 'a 64-bit WAV file (RF64)'],
  ['BW64', 'a 64-bit WAV file (BW64)'],
  ['RIFX', 'a big-endian WAV file (RIFX)'],
  ['\x1aE\xdf\xa3', 'a WebM or Matroska file'],
  ['.snd', 'a Sun AU file'],
  ['#!AMR', 'an AMR file'],
  ['PK\x03\x04', 'a ZIP archive'],
  ['\x1f\x8b', 'a gzip file'],
];

function isText(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte >= 0x20 || byte === 9 || byte === 10 || byte === 13);
}
