/** A WAV file of 16-bit mono sound; `pcm` is pcm_s16le. */
export function wavFile(pcm: Uint8Array, sampleRateHz: number): Uint8Array<ArrayBuffer> {
  const file = new Uint8Array(headerBytes + pcm.length);
  const view = new DataView(file.buffer);
  const word = (at: number, text: string): void => file.set(Buffer.from(text, 'latin1'), at);
  word(0, 'RIFF');
  view.setUint32(4, headerBytes - 8 + pcm.length, true);
  word(8, 'WAVEfmt ');
  view.setUint32(16, 16, true);
  view.setUint16(20, integerPcm, true);
  view.setUint16(22, 1, true);
  view.setUint32(24, sampleRateHz, true);
  view.setUint32(28, sampleRateHz * 2, true);
  view.setUint16(32, 2, true);
  view.setUint16(34, 16, true);
  word(36, 'data');
  view.setUint32(40, pcm.length, true);
  file.set(pcm, headerBytes);
  return file;
}

const headerBytes = 44;
const integerPcm = 1;
