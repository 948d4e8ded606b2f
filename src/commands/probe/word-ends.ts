import { SpeechfbError } from '../../errors.ts';
import type { ReadAloud, WordEnd } from '../../scoring/word-ends.ts';
import { say } from '../output.ts';
import { shippedPath } from '../package.ts';

/**
 * Where the words of an English recording end, by the shipped model; undefined for other languages,
 * and for a text that the model cannot read, which is said.
 */
export async function wordEnds(recording: ReadAloud, language: string): Promise<readonly WordEnd[] | undefined> {
  if (!/^en(-|$)/i.test(language)) {
    say(`where words end is found in English alone, and this is ${language}: words have no latencies`);
    return undefined;
  }
  const { loadModelPackage } = await import('../../acoustic/model/load-model.ts');
  const { createInlineEngine } = await import('../../acoustic/engine/inline-engine.ts');
  const { alignWords } = await import('../../scoring/word-ends.ts');
  const engine = await createInlineEngine({ model: loadModelPackage(shippedPath('models/en-learner')), device: 'cpu' });
  try {
    return await alignWords(engine, recording);
  } catch (error) {
    if (!(error instanceof SpeechfbError) || error.code !== 'invalid_reference') throw error;
    say(`words have no latencies: ${error.message}`);
    return undefined;
  } finally {
    await engine.close();
  }
}
