/** A recording as it goes over the wire. */
export type Pcm = { /** pcm_s16le, mono. */ pcm: Uint8Array; sampleRateHz: number };

/** Frame `index` of a recording; the last one is filled up with silence. */
export function framePcm({ pcm, sampleRateHz }: Pcm, index: number, frameMs: number): Uint8Array {
  const bytes = (sampleRateHz * frameMs * 2) / 1000;
  const frame = pcm.subarray(index * bytes, (index + 1) * bytes);
  if (frame.length === bytes) return frame;
  const padded = new Uint8Array(bytes);
  padded.set(frame);
  return padded;
}

/** How many frames a recording fills, the last one in part. */
export function frameCount({ pcm, sampleRateHz }: Pcm, frameMs: number): number {
  return Math.ceil((pcm.length * 1000) / (sampleRateHz * frameMs * 2));
}
