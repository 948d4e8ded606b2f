import type { Problem } from '../../errors.ts';
import { didYouMean } from '../../suggest.ts';
import { type Clip, readClips } from './clips.ts';
import { plainWeight, problemsAt } from './networks.ts';
import type { LoadScenario } from './scenario.ts';

export type ClipMix = {
  clips: Clip[];
  /** Clips that learners read, as indexes into `clips`, by weight. */
  clipMix: { weight: number; clips: number[] }[];
};

/**
 * Every clip of a scenario; manifests, clips and ids that are missing or unfit are added to
 * `problems`.
 */
export function readClipMix({ spec, at }: LoadScenario, problems: Problem[]): ClipMix {
  const clips: Clip[] = [];
  const clipMix = spec.learners.clips.map((source, index) => {
    const path = ['spec', 'learners', 'clips', index];
    const place = (key: string) => at([...path, key]);
    const from = clips.length;
    try {
      const all = readClips(source.manifest, source.language ?? spec.learners.language);
      const ids = all.map(({ id }) => id);
      const only = source.only ?? ids;
      for (const [k, id] of only.entries()) {
        if (ids.includes(id)) continue;
        const message = `"${id}" is not a clip of ${source.manifest}${didYouMean(id, ids)}; it has ${ids.join(', ')}`;
        problems.push({ where: at([...path, 'only', k]), message });
      }
      const chosen = all.filter(({ id }) => only.includes(id));
      problems.push(...raggedClips(chosen, spec.learners.frame, at(['spec', 'learners', 'frame'])));
      clips.push(...chosen);
    } catch (error) {
      problems.push(...problemsAt(place('manifest'), error));
    }
    return { weight: plainWeight(source), clips: clips.slice(from).map((_, k) => from + k) };
  });
  return { clips, clipMix };
}

/** A session's sample clock must tick in whole frames. */
function raggedClips(clips: readonly Clip[], frameMs: number, where: string): Problem[] {
  const ragged = clips.find((clip) => !Number.isInteger((clip.sampleRateHz * frameMs) / 1000));
  if (!ragged) return [];
  const message = `frames of ${frameMs} ms are not whole samples at the ${ragged.sampleRateHz} Hz of clip "${ragged.id}"; use 20ms or 40ms, or convert the clip to 16 kHz`;
  return [{ where, message }];
}
