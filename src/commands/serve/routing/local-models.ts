import { existsSync, readdirSync, realpathSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { loadModelPackage } from '../../../acoustic/model/load-model.ts';
import type { ModelPackage } from '../../../acoustic/model/model-package.ts';
import { SpeechfbError } from '../../../errors.ts';
import { fileTrouble } from '../../../file-trouble.ts';
import type { PolicySpec } from '../../../routing/policy/spec.ts';
import { isSameLanguage } from '../../../server/hearing/language.ts';
import type { LocalModel } from '../../../server/hearing/local-model.ts';
import type { Limits } from '../../../server/limits.ts';
import { didYouMean } from '../../../suggest.ts';
import type { Log } from '../../../telemetry/log.ts';
import { packageFolder } from '../../shipped.ts';
import { identityOf, type ModelRun, type ModelStats, RunningLocal } from './running-local.ts';

export type LocalModelsOptions = {
  log: Log;
  /** The server's own model, and its folder. */
  own: { model: ModelPackage; folder: string };
  /** How the own model does; undefined while it warms up. */
  ownStats(): ModelStats | undefined;
  limits: Limits;
  /** Files of a policy are sought beside it. */
  policyFile: string;
  /** Makes ready what runs a model, which its `load` begins. */
  start(model: ModelPackage): ModelRun;
};

/** The models of one policy: they run as long as that is in force, and as their sessions last. */
export type UsedModels = {
  /** By backend. */
  models: ReadonlyMap<string, LocalModel>;
  /**
   * Resolves when all are warm.
   *
   * @throws SpeechfbError with which of them cannot be
   */
  load(): Promise<void>;
  /** The policy is not in force any more. */
  release(): void;
};

/** Tells what is wrong with a field of a policy. */
export type RefuseField = (path: readonly PropertyKey[], message: string) => void;

/**
 * The models beside the server's own that policies name: each runs once, from when a policy has it
 * until neither a policy nor a session needs it.
 */
export class LocalModels {
  readonly #options: LocalModelsOptions;
  readonly #running = new Map<string, RunningLocal>();

  constructor(options: LocalModelsOptions) {
    this.#options = options;
  }

  /** All that run, those among them that only sessions still use. */
  all(): readonly LocalModel[] {
    return [...this.#running.values()].filter(({ isWarm }) => isWarm);
  }

  /**
   * Looks at every model that a policy names, and makes it ready to be loaded.
   *
   * @param refuse called for each that cannot be used
   */
  use(spec: PolicySpec, refuse: RefuseField): UsedModels {
    const named = new Map<string, { running: RunningLocal; index: number }>();
    for (const [index, { name, kind, model }] of spec.backends.entries()) {
      if (kind !== 'local' || model === undefined) continue;
      const refuseModel = (why: string): void => refuse(['backends', index, 'model'], why);
      const found = this.#found(model, refuseModel);
      if (!found) continue;
      try {
        named.set(name, { running: this.#runningOf(found), index });
      } catch (error) {
        refuseModel(sentenceOf(error));
      }
    }
    const releases = [...named.values()].map(({ running }) => running.use());
    return {
      models: new Map([...named].map(([name, { running }]) => [name, running])),
      async load() {
        for (const { running, index } of named.values())
          await running.load().catch((error: unknown) => {
            refuse(['backends', index, 'model'], `${running.identity} cannot be run: ${sentenceOf(error)}`);
          });
      },
      release() {
        for (const release of releases.splice(0)) release();
      },
    };
  }

  async close(): Promise<void> {
    await Promise.all([...this.#running.values()].map((running) => running.close()));
  }

  /** The package that a policy means; undefined: it cannot be used, or is the server's own. */
  #found(given: string, refuse: (why: string) => void): FoundModel | undefined {
    const { own, policyFile } = this.#options;
    let found: FoundModel;
    try {
      const folder = realpathSync(folderOf(given, policyFile));
      found = { folder, model: loadModelPackage(folder) };
    } catch (error) {
      refuse(`${JSON.stringify(given)}: ${sentenceOf(error)}`);
      return undefined;
    }
    const { model, folder } = found;
    if (folder === realpathSync(own.folder)) return undefined;
    const { sampleRateHz, language } = own.model;
    const identity = identityOf(model);
    const wrong = [
      model.sampleRateHz !== sampleRateHz && `hears ${model.sampleRateHz} Hz, and the server's own ${sampleRateHz} Hz`,
      !isSameLanguage(model.language, language) && `hears ${model.language}, and the server's own ${language}`,
      identity === identityOf(own.model) && `is ${identity} as the server's own model is: ${another}`,
      this.#isTaken(found) && `is ${identity} as a model in another folder is: ${another}`,
    ].filter((what) => what !== false);
    if (wrong.length > 0) refuse(`"${given}" ${wrong.join('; it ')}`);
    return wrong.length > 0 ? undefined : found;
  }

  #isTaken({ folder, model }: FoundModel): boolean {
    return [...this.#running.values()].some((one) => one.identity === identityOf(model) && one.folder !== folder);
  }

  #runningOf({ folder, model }: FoundModel): RunningLocal {
    const key = `${folder} ${identityOf(model)}`;
    const known = this.#running.get(key);
    if (known?.isUsable) return known;
    const { log, limits, ownStats, start } = this.#options;
    const forget = (): void => {
      if (this.#running.get(key) === running) this.#running.delete(key);
    };
    const run = start(model);
    const running: RunningLocal = new RunningLocal({ folder, model, limits, log, run, own: ownStats, onOver: forget });
    this.#running.set(key, running);
    return running;
  }
}

type FoundModel = { folder: string; model: ModelPackage };

/** A folder beside the policy, or else a model that ships, by its name. */
function folderOf(given: string, policyFile: string): string {
  const beside = resolve(dirname(policyFile), given);
  if (existsSync(beside)) return beside;
  const shipped = readdirSync(join(packageFolder, 'models'));
  if (shipped.includes(given)) return join(packageFolder, 'models', given);
  const names = `no model of that name ships${didYouMean(given, shipped)} (${shipped.join(', ')} does)`;
  throw new SpeechfbError('model_not_found', `there is no folder "${given}" beside the policy, and ${names}`);
}

/** Why a package cannot be used, in one line. */
function sentenceOf(error: unknown): string {
  if (!(error instanceof SpeechfbError)) return fileTrouble(error);
  const parts = error.problems.slice(0, mostProblems).map(({ where, message }) => `${where}: ${message}`);
  const more = error.problems.length - parts.length;
  return [error.message, ...parts, ...(more > 0 ? [`and ${more} more`] : [])].join('; ');
}

const another = 'give it a version of its own, by which sessions and reports tell them apart';
const mostProblems = 3;
