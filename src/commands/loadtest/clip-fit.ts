import { loadModelPackage } from '../../acoustic/model/load-model.ts';
import { type Problem, SpeechfbError } from '../../errors.ts';
import type { Clip } from '../../load/scenario/clips.ts';
import type { PreparedLoad } from '../../load/scenario/prepare.ts';
import type { LoadScenario } from '../../load/scenario/scenario.ts';
import { splitWords } from '../../scoring/text/words.ts';
import { shippedModel } from './word-ends.ts';

/**
 * Checks that the server which the test starts can take every clip: it speaks the language of the
 * model, and its text can be read in it. A server elsewhere is not known. Throws `bad_manifest`
 * with every clip that it would refuse.
 */
export function checkClipsFit({ scenario, prepared }: { scenario: LoadScenario; prepared: PreparedLoad }): void {
  const { url, embedded } = scenario.spec.target;
  if (url !== undefined) return;
  const { language } = loadModelPackage(embedded?.model ?? shippedModel);
  const problems = prepared.clips.flatMap((clip) => unfit(clip, language) ?? []);
  if (problems.length === 0) return;
  throw new SpeechfbError('bad_manifest', 'clips are not for the model of the server that the test starts', {
    problems,
    hint: 'leave them out with spec.learners.clips[].only, or give a model of their language in spec.target.embedded.model',
  });
}

function unfit({ id, text, language }: Clip, spoken: string): Problem | undefined {
  const where = `clip "${id}"`;
  if (primaryTag(language) !== primaryTag(spoken))
    return { where, message: `language: "${language}" is not that of the model, ${spoken}` };
  try {
    splitWords(text);
    return undefined;
  } catch (error) {
    if (!(error instanceof SpeechfbError)) throw error;
    return { where, message: `text: ${error.message}` };
  }
}

/** `en` of `en-US`. */
function primaryTag(language: string): string {
  return language.split('-')[0]!.toLowerCase();
}
