/** Whether sound is loud enough for speech, by each eighth of its samples: a look, no more. */
export function isLoud(pcm: Int16Array | Float32Array): boolean {
  const least = pcm instanceof Int16Array ? speechPeak * 32_768 : speechPeak;
  for (let at = 0; at < pcm.length; at += 8) if (Math.abs(pcm[at]!) > least) return true;
  return false;
}

/** A hundredth of full scale: speech is louder, a quiet room is not. */
const speechPeak = 0.01;
