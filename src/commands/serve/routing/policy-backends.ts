import { createBackends } from '../../../backends/create-backends.ts';
import { localBackend } from '../../../backends/local.ts';
import { RetryBudget } from '../../../backends/retry-budget.ts';
import { badConfig } from '../../../config/yaml.ts';
import type { Problem } from '../../../errors.ts';
import type { SoundPolicy } from '../../../flags/source/policy-value.ts';
import type { PolicySpec, RoutedBackend } from '../../../routing/policy/spec.ts';
import { isSameLanguage } from '../../../server/hearing/language.ts';
import type { LocalModel } from '../../../server/hearing/local-model.ts';
import type { ManagedBackend, PolicyInForce } from '../../../server/hearing/managed-backend.ts';
import { hearBeside } from '../../../server/hearing/model-hearing.ts';
import { defaultLimits } from '../../../server/limits.ts';
import type { Log } from '../../../telemetry/log.ts';
import type { LocalModels, RefuseField, UsedModels } from './local-models.ts';

export type PolicyBackendsOptions = {
  log: Log;
  /** The language of the own model. */
  language: string;
  /** Processes that share what a policy allows. */
  gateways: number;
  /** Files of a policy are sought beside it. */
  policyFile: string;
  /** The models that local backends name. */
  models: LocalModels;
  /** The server's own model, for a shadow by it; asked when a session is heard. */
  own(): LocalModel;
};

/** A policy with all that it names. */
export type ReadyPolicy = {
  policy: PolicyInForce;
  /**
   * Resolves when its models are warm.
   *
   * @throws SpeechfbError `bad_config`
   */
  load(): Promise<void>;
  /** It is not in force any more, or never was. */
  release(): void;
};

/**
 * The backends of a server's policies, one after the other. A backend that another policy has as it
 * was stays as it is: its breaker, its measured timeouts and what it has cost go on. Those that are
 * not there any more stay open for the sessions that they hear.
 */
export class PolicyBackends {
  readonly #options: PolicyBackendsOptions;
  /** By how they are described. */
  readonly #known = new Map<string, { backend: ManagedBackend; model: LocalModel | undefined }>();
  readonly #retryBudget = new RetryBudget();

  constructor(options: PolicyBackendsOptions) {
    this.#options = options;
  }

  /**
   * A policy with its backends, at one of several gateways with its part of what they may have.
   * Nothing is connected, and no model is loaded.
   *
   * @throws SpeechfbError `bad_config` with each problem at its line, and what a backend cannot be
   *   made for
   */
  ready(kept: SoundPolicy & { origin: string }): ReadyPolicy {
    const { name, spec } = kept;
    const { shadow } = spec;
    const own: PolicySpec = {
      ...spec,
      backends: spec.backends.map((backend) => this.#partOf(backend)),
      shadow: shadow && { ...shadow, perTenant: shadow.perTenant && this.#partOf(shadow.perTenant) },
    };
    const problems = new PolicyProblems(kept);
    this.#checkOwnLanguage(spec, problems.refuse);
    const used = this.#options.models.use(own, problems.refuse);
    const { models, release } = used;
    try {
      problems.throwAny();
      const managed = own.backends.filter(({ kind }) => kind !== 'local');
      const backends = new Map(managed.map((backend) => [backend.name, this.#backendOf('', backend)]));
      const load = async (): Promise<void> => {
        await used.load();
        problems.throwAny();
      };
      return { policy: { name, spec: own, backends, models, shadow: this.#shadowOf(own, models) }, load, release };
    } catch (error) {
      release();
      throw error;
    }
  }

  async close(): Promise<void> {
    await Promise.all([...this.#known.values()].map(({ backend }) => backend.close()));
  }

  /** The backend that hears unseen, with a bulkhead and a cap of its own. */
  #shadowOf({ shadow, backends }: PolicySpec, models: UsedModels['models']): ManagedBackend | undefined {
    const backend = backends.find(({ name }) => name === shadow?.to);
    if (!shadow || !backend) return undefined;
    const { most, maxSessions } = this.#partOf({ ...backend, most: shadow.most, maxSessions: shadow.maxSessions });
    return this.#backendOf('shadow ', { ...backend, most, maxSessions }, models.get(backend.name));
  }

  #backendOf(role: string, backend: RoutedBackend, model?: LocalModel): ManagedBackend {
    const key = `${role}${JSON.stringify(backend)}`;
    const known = this.#known.get(key);
    if (known && known.model === model) return known.backend;
    const { log, policyFile, own } = this.#options;
    const made = createBackends([backend], {
      policyFile,
      retryBudget: this.#retryBudget,
      local: (name) =>
        localBackend(name, (input, on) => hearBeside(model ?? own(), defaultLimits.maxTextPhones)(input, on)),
      onChange: ({ state, why }, name) => {
        const fields = { backend: `${role}${name}`, class: why?.class, why: why?.message };
        if (state === 'open') log.warn(fields, 'a backend is left alone: its breaker has opened');
        else if (state === 'closed') log.info({ backend: name }, 'a backend hears again: its breaker has closed');
        else log.info({ backend: name }, 'one session tries a backend: its breaker is half open');
      },
    }).get(backend.name)!;
    this.#known.set(key, { backend: made, model });
    return made;
  }

  #partOf<Bounds extends Pick<RoutedBackend, 'maxSessions' | 'most'>>(backend: Bounds): Bounds {
    const { maxSessions, most } = backend;
    const { gateways } = this.#options;
    return {
      ...backend,
      ...(maxSessions !== undefined && { maxSessions: Math.ceil(maxSessions / gateways) }),
      ...(most !== undefined && { most: most / gateways }),
    };
  }

  /** A model of ours must not be asked for a language that it does not know. */
  #checkOwnLanguage({ backends }: PolicySpec, refuse: RefuseField): void {
    const { language } = this.#options;
    for (const [index, { name, kind, languages, model }] of backends.entries()) {
      if (kind !== 'local') continue;
      const foreign = languages?.filter((one) => !isSameLanguage(one, language));
      if (languages !== undefined && foreign?.length === 0) continue;
      const said = languages === undefined ? 'says no languages' : `says that it understands ${foreign!.join(', ')}`;
      const own = language.split('-')[0]!.toLowerCase();
      const which = model === undefined ? 'the own model' : 'a model of ours';
      const path = ['backends', index, ...(languages === undefined ? [] : ['languages'])];
      refuse(path, `backend "${name}" is ${which}, which hears ${own}, and ${said}; write languages: [${own}]`);
    }
  }
}

/** What is wrong with a policy that only a server can tell. */
class PolicyProblems {
  readonly #policy: SoundPolicy & { origin: string };
  readonly #found: Problem[] = [];

  constructor(policy: SoundPolicy & { origin: string }) {
    this.#policy = policy;
  }

  /** @param path within `spec` */
  readonly refuse: RefuseField = (path, message) => {
    const whole = ['spec', ...path];
    const { at, origin } = this.#policy;
    this.#found.push({ where: at?.(whole) ?? origin, message: `${whole.join('.')}: ${message}` });
  };

  throwAny(): void {
    if (this.#found.length > 0) throw badConfig(this.#policy.origin, this.#found);
  }
}
