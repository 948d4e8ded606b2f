import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { AcousticEngine } from '../../acoustic/engine/types.ts';
import { loadModelPackage } from '../../acoustic/model/load-model.ts';
import { badConfig } from '../../config/yaml.ts';
import { type Problem, SpeechfbError } from '../../errors.ts';
import type { Clip } from '../../load/scenario/clips.ts';
import type { PreparedLoad } from '../../load/scenario/prepare.ts';
import type { LoadScenario } from '../../load/scenario/scenario.ts';
import { splitWords } from '../../scoring/text/words.ts';
import { cacheDirectory } from './cache-directory.ts';
import { WordEndStore } from './word-end-store.ts';

type Test = { scenario: LoadScenario; prepared: PreparedLoad };

/**
 * Checks what can be known of word ends before anything runs: an objective on them has them for
 * every clip, given in the manifest or to be found by the shipped model, and those given are of the
 * words that the server reads in the text. Throws `bad_config` or `bad_manifest`.
 */
export function checkWordEnds({ scenario, prepared }: Test): void {
  const objective = objectiveOnWords(scenario);
  const foreign = prepared.clips.find((clip) => !clip.words && !isEnglish(clip));
  if (objective >= 0 && foreign) {
    const message = `spec.objectives.${objective}: needs the ends of words, which are found in English alone; clip "${foreign.id}" is ${foreign.language}: give its words in the manifest as [{"text": ..., "end_ms": ...}]`;
    throw badConfig(scenario.file, [{ where: scenario.at(['spec', 'objectives', objective]), message }]);
  }
  // Servers of other protocols name no words by their places.
  const problems = scenario.dialect ? [] : prepared.clips.flatMap((clip) => wordsProblem(clip) ?? []);
  if (problems.length > 0)
    throw new SpeechfbError('bad_manifest', 'clips have words that are not those of their texts', { problems });
}

/**
 * The prepared test with the word ends of every clip, if an objective asks for them, or the server
 * is of another protocol, of which words tell most. Those that no manifest gives come from the
 * shipped model's alignment, once: they are kept beside the manifest, by the content of clip and
 * model, or in `cache`, a directory, where that cannot be written.
 */
export async function withWordEnds(
  { scenario, prepared }: Test,
  { onPhase, signal }: { onPhase(phase: string): void; signal: AbortSignal },
  cache: string | undefined = cacheDirectory(process.env, process.platform),
): Promise<PreparedLoad> {
  const asked = objectiveOnWords(scenario) >= 0;
  if (!asked && !scenario.dialect) return prepared;
  const clips = [...prepared.clips];
  const aligner = new Aligner(shippedModel);
  try {
    for (const [index, { manifest }] of scenario.spec.learners.clips.entries()) {
      const lacking = prepared.clipMix[index]!.clips.filter(
        (place) => !clips[place]!.words && isEnglish(clips[place]!),
      );
      if (lacking.length === 0) continue;
      const store = new WordEndStore(
        manifest,
        cache === undefined ? undefined : { directory: cache, name: nameOf(manifest) },
      );
      const unknown = lacking.filter((place) => !store.get(aligner.keyOf(clips[place]!))).length;
      const many = unknown === 1 ? '1 clip' : `${unknown} clips`;
      if (unknown > 0) onPhase(`finding where the words of ${many} of ${manifest} end`);
      for (const place of lacking) {
        signal.throwIfAborted();
        const clip = clips[place]!;
        const key = aligner.keyOf(clip);
        const words = store.get(key) ?? (await aligner.align(clip, asked));
        if (!words) continue;
        store.put({ key, id: clip.id, words });
        clips[place] = { ...clip, words };
      }
      const problem = store.save();
      if (problem !== undefined) onPhase(`word ends are found again next time: ${problem}`);
    }
  } finally {
    await aligner.close();
  }
  return { ...prepared, clips };
}

/** The model package that the embedded server has unless another is named. */
export const shippedModel = fileURLToPath(new URL('../../../models/en-learner', import.meta.url));

/** The first objective that needs the ends of words; -1 where none does. */
function objectiveOnWords({ spec }: LoadScenario): number {
  return spec.objectives.findIndex(({ metric }) => metric === 'word_latency' || metric === 'word_final_latency');
}

/** Manifests of one name lie in many folders. */
function nameOf(manifest: string): string {
  return createHash('sha256').update(resolve(manifest)).digest('hex').slice(0, 16);
}

function isEnglish({ language }: Clip): boolean {
  return /^en(-|$)/i.test(language);
}

/**
 * A server names words by their places: others than it reads in the text would be taken for one
 * another.
 */
function wordsProblem({ id, text, words, ...clip }: Clip): Problem | undefined {
  if (!words || !isEnglish({ id, text, ...clip })) return undefined;
  const read = splitWords(text).map(({ shown }) => shown);
  const place = read.findIndex((word, k) => word.toLowerCase() !== words[k]?.text.toLowerCase());
  if (place < 0 && words.length === read.length) return undefined;
  const at = place < 0 ? read.length : place;
  const [given, wanted] = [words[at]?.text, read[at]].map((word) => (word === undefined ? 'nothing' : `"${word}"`));
  return { where: `clip "${id}"`, message: `words.${at} is ${given}, but the text is read as ${wanted} there` };
}

/** The shipped model, loaded when something has to be aligned. */
class Aligner {
  readonly #directory: string;
  #engine: Promise<AcousticEngine> | undefined;
  #model: string | undefined;

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** The same for the same sound and text, read by the same model. */
  keyOf({ pcm, sampleRateHz, text }: Clip): string {
    this.#model ??= this.#hashModel();
    const hash = createHash('sha256').update(this.#model);
    return hash.update(`\n${sampleRateHz}\n${text}\n`).update(pcm).digest('hex');
  }

  /** Undefined for a text that cannot be read in English, unless its words are `asked` for. */
  async align(clip: Clip, asked: boolean): Promise<Clip['words']> {
    this.#engine ??= this.#open();
    const { alignWords } = await import('../../scoring/word-ends.ts');
    try {
      return await alignWords(await this.#engine, clip);
    } catch (error) {
      if (!(error instanceof SpeechfbError) || error.code !== 'invalid_reference') throw error;
      if (!asked) return undefined;
      throw new SpeechfbError('bad_manifest', `clip "${clip.id}" cannot be aligned: ${error.message}`, {
        cause: error,
      });
    }
  }

  async close(): Promise<void> {
    await (await this.#engine)?.close();
  }

  #hashModel(): string {
    const { onnxCpuPath, onnxPath } = loadModelPackage(this.#directory);
    const hash = createHash('sha256').update(readFileSync(`${this.#directory}/model.json`));
    return hash.update(readFileSync(onnxCpuPath ?? onnxPath)).digest('hex');
  }

  async #open(): Promise<AcousticEngine> {
    const { createInlineEngine } = await import('../../acoustic/engine/inline-engine.ts');
    return await createInlineEngine({ model: loadModelPackage(this.#directory), device: 'cpu' });
  }
}
