import { createBackends } from '../../../backends/create-backends.ts';
import { RetryBudget } from '../../../backends/retry-budget.ts';
import { SpeechfbError } from '../../../errors.ts';
import type { PolicySpec, RoutedBackend } from '../../../routing/policy/spec.ts';
import { isSameLanguage } from '../../../server/hearing/language.ts';
import type { ManagedBackend, PolicyInForce } from '../../../server/hearing/managed-backend.ts';
import type { Log } from '../../../telemetry/log.ts';

export type PolicyBackendsOptions = {
  log: Log;
  /** The language of the own model. */
  language: string;
  /** Processes that share what a policy allows. */
  gateways: number;
  /** Files of a policy are sought beside it. */
  policyFile: string;
};

/**
 * The backends of a server's policies, one after the other. A backend that another policy has as it
 * was stays as it is: its breaker, its measured timeouts and what it has cost go on. Those that are
 * not there any more stay open for the sessions that they hear.
 */
export class PolicyBackends {
  readonly #options: PolicyBackendsOptions;
  /** By how they are described. */
  readonly #known = new Map<string, ManagedBackend>();
  readonly #retryBudget = new RetryBudget();

  constructor(options: PolicyBackendsOptions) {
    this.#options = options;
  }

  /**
   * A policy with its backends, at one of several gateways with its part of what they may have.
   * Nothing is connected.
   *
   * @throws SpeechfbError `bad_config`, and what a backend cannot be made for
   */
  inForce({ name, spec }: { name: string; spec: PolicySpec }): PolicyInForce {
    this.#checkOwnLanguage(spec);
    const { shadow } = spec;
    const own: PolicySpec = {
      ...spec,
      backends: spec.backends.map((backend) => this.#partOf(backend)),
      shadow: shadow && { ...shadow, perTenant: shadow.perTenant && this.#partOf(shadow.perTenant) },
    };
    const managed = own.backends.filter(({ kind }) => kind !== 'local');
    const backends = new Map(managed.map((backend) => [backend.name, this.#backendOf('', backend)]));
    return { name, spec: own, backends, shadow: this.#shadowOf(own) };
  }

  async close(): Promise<void> {
    await Promise.all([...this.#known.values()].map((backend) => backend.close()));
  }

  /** The backend that hears unseen, with a bulkhead and a cap of its own. */
  #shadowOf({ shadow, backends }: PolicySpec): ManagedBackend | undefined {
    const backend = backends.find(({ name }) => name === shadow?.to);
    if (!shadow || !backend) return undefined;
    const { most, maxSessions } = this.#partOf({ ...backend, most: shadow.most, maxSessions: shadow.maxSessions });
    return this.#backendOf('shadow ', { ...backend, most, maxSessions });
  }

  #backendOf(role: string, backend: RoutedBackend): ManagedBackend {
    const key = `${role}${JSON.stringify(backend)}`;
    const known = this.#known.get(key);
    if (known) return known;
    const { log, policyFile } = this.#options;
    const made = createBackends([backend], {
      policyFile,
      retryBudget: this.#retryBudget,
      local: (name) => {
        throw new RangeError(`${name} is the own model, which the session hears`);
      },
      onChange: ({ state, why }, name) => {
        const fields = { backend: `${role}${name}`, class: why?.class, why: why?.message };
        if (state === 'open') log.warn(fields, 'a backend is left alone: its breaker has opened');
        else if (state === 'closed') log.info({ backend: name }, 'a backend hears again: its breaker has closed');
        else log.info({ backend: name }, 'one session tries a backend: its breaker is half open');
      },
    }).get(backend.name)!;
    this.#known.set(key, made);
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

  /** The own model must not be asked for a language that it does not know. */
  #checkOwnLanguage({ backends }: PolicySpec): void {
    const { language, policyFile } = this.#options;
    for (const { name, kind, languages } of backends) {
      if (kind !== 'local') continue;
      const foreign = languages?.filter((one) => !isSameLanguage(one, language));
      if (languages !== undefined && foreign?.length === 0) continue;
      const said = languages === undefined ? 'says no languages' : `says that it understands ${foreign!.join(', ')}`;
      const own = language.split('-')[0]!.toLowerCase();
      const what = `backend "${name}" is the own model, which hears ${own}, and ${said}`;
      throw new SpeechfbError('bad_config', `${policyFile}: ${what}`, { hint: `write languages: [${own}]` });
    }
  }
}
