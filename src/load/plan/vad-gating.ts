import type { Pcm } from '../../audio/pcm.ts';
import { fromS16le } from '../../audio/pcm.ts';
import { Vad } from '../../audio/vad.ts';

/** How an app's voice activity detection holds sound back. */
export type GatingOptions = {
  /** Silence that is still sent after speech. */
  hangoverMs: number;
  /** Sound from before speech that is sent as well, from the app's ring buffer. */
  leadMs: number;
};

/**
 * The frames of a recording that an app with voice activity detection does not send, as [from, to)
 * in order: those that lie wholly in silence, beyond the hangover after speech and the lead before
 * it. A frame that is sent goes out when it is due: the app is taken to find speech at once.
 */
export function gatedFrames(
  recording: Pcm,
  frames: number,
  frameMs: number,
  gating: GatingOptions,
): [number, number][] {
  const vad = new Vad({ sampleRateHz: recording.sampleRateHz, hangoverMs: gating.hangoverMs });
  const events = vad.push(fromS16le(recording.pcm));
  const gaps: [number, number][] = [];
  let silentFromMs = 0;
  for (const { type, atMs } of events) {
    if (type === 'began') gaps.push(wholeFrames(silentFromMs, atMs - gating.leadMs, frameMs));
    else silentFromMs = atMs + gating.hangoverMs;
  }
  if (!vad.speaking) gaps.push(wholeFrames(silentFromMs, frames * frameMs, frameMs));
  return gaps.filter(([from, to]) => to > from);
}

/** What is left of gated stretches when only the first `frames` of a recording are spoken. */
export function gatedWithin(gated: readonly (readonly [number, number])[], frames: number): [number, number][] {
  return gated.flatMap(([from, to]) => (from < frames ? [[from, Math.min(to, frames)] as [number, number]] : []));
}

function wholeFrames(fromMs: number, toMs: number, frameMs: number): [number, number] {
  return [Math.ceil(fromMs / frameMs), Math.floor(toMs / frameMs)];
}
