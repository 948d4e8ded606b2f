import type { AcousticEngine } from '../../../acoustic/engine/types.ts';
import type { ModelPackage } from '../../../acoustic/model/model-package.ts';
import type { AuditLog } from '../../../audit/log.ts';
import { notesOf } from '../../../routing/policy/notes.ts';
import { Comparer } from '../../../server/comparing/comparer.ts';
import { ShadowLog } from '../../../server/comparing/shadow-log.ts';
import type { LocalModel, Scoring } from '../../../server/hearing/local-model.ts';
import type { PolicyInForce } from '../../../server/hearing/managed-backend.ts';
import type { Router } from '../../../server/hearing/router.ts';
import { UsageLog } from '../../../server/hearing/usage-log.ts';
import type { Witness } from '../../../server/hearing/witness.ts';
import type { Limits } from '../../../server/limits.ts';
import type { Log } from '../../../telemetry/log.ts';
import type { LivePolicyFigures } from '../../../telemetry/policy-metrics.ts';
import { type RoutingSettings, sourceOf } from './flags.ts';
import { LocalModels } from './local-models.ts';
import { PolicyBackends, type ReadyPolicy } from './policy-backends.ts';
import { type FollowedFiles, PolicyDesk } from './policy-desk.ts';
import { identityOf, type ModelRun, type ModelStats } from './running-local.ts';

export type RoutingPlace = {
  log: Log;
  /** The server's own model, the folder of its package, and what scores by it. */
  own: { model: ModelPackage; folder: string; scoring: Scoring };
  /** Makes ready what runs another model. */
  start(model: ModelPackage): ModelRun;
  /** Processes that share what the policy allows. */
  gateways: number;
  /** The server's, as they are in force. */
  limits: Limits;
  /** Where changes are written down; absent: nobody asked for it, or another process does. */
  audit?: AuditLog | undefined;
  /** The tenants of the server; absent: tokens belong to nobody by name. */
  tenants?: { readonly tenants: readonly { name: string }[] } | undefined;
};

type Given = { routing: RoutingSettings | undefined; role: { region?: string | undefined } };

/**
 * The policy of a server and where it comes from, the backends that it names, and the logs of who
 * used what and of what was compared.
 */
export class ServedRouting implements AsyncDisposable {
  readonly desk: PolicyDesk;
  readonly meter: UsageLog | undefined;
  readonly witness: Witness;
  /** What metrics show of it. */
  readonly figures = (): LivePolicyFigures => this.desk.figures();
  readonly #backends: PolicyBackends;
  readonly #shadowLog: ShadowLog | undefined;
  readonly #localModels: LocalModels;
  readonly #ownModel: RoutingPlace['own'];
  #ready: ReadyPolicy;
  #engine: AcousticEngine | undefined;
  #router: Router | undefined;

  /**
   * No backend is connected yet.
   *
   * @throws SpeechfbError `bad_config`, `bad_flag_value`, `flags_unreachable`, `output_unwritable`,
   *   and what a backend cannot be made for
   */
  static async open(
    { routing: settings, role: { region } }: Given,
    place: RoutingPlace,
  ): Promise<ServedRouting | undefined> {
    if (!settings) return undefined;
    const { log, audit, own, start, gateways, limits, tenants } = place;
    const source = sourceOf(settings);
    const policyFile = source.kind === 'file' ? source.file : '.';
    const served: { here?: ServedRouting } = {};
    const ownStats = (): ModelStats | undefined => {
      const { here } = served;
      return here?.isWarm ? { engine: here.#own.engine.stats(), scoring: own.scoring.stats?.() } : undefined;
    };
    const models = new LocalModels({ log, own, ownStats, limits, policyFile, start });
    const backends = new PolicyBackends({
      ...{ log, language: own.model.language, gateways, policyFile, models },
      own: () => served.here!.#own,
    });
    const note = ({ name, spec }: Pick<PolicyInForce, 'name' | 'spec'>): void => {
      for (const { path, message } of notesOf(
        spec,
        tenants?.tenants.map((tenant) => tenant.name),
      ))
        log.warn({ policy: name, at: ['spec', ...path].join('.'), what: message }, 'a routing policy may have a slip');
    };
    const desk = await PolicyDesk.open({
      ...{ source, region, log, audit },
      now: () => performance.now(),
      async prepare(kept) {
        const ready = backends.ready(kept);
        try {
          await ready.load();
        } catch (error) {
          ready.release();
          throw error;
        }
        return {
          drop: ready.release,
          adopt() {
            const { here } = served;
            if (here) here.#adopt(ready);
            note(ready.policy);
          },
        };
      },
    });
    note(desk.current);
    served.here = new ServedRouting(settings, { log, own, desk, backends, models });
    return served.here;
  }

  private constructor({ usageLog, shadowLog }: RoutingSettings, { log, own, desk, backends, models }: RoutingParts) {
    this.desk = desk;
    this.#backends = backends;
    this.#localModels = models;
    this.#ownModel = own;
    this.#ready = backends.ready(desk.current);
    this.meter = usageLog === undefined ? undefined : new UsageLog({ path: usageLog, log, wallMs: Date.now });
    this.#shadowLog = shadowLog === undefined ? undefined : new ShadowLog(shadowLog, log);
    this.witness = new Comparer({
      policy: () => this.policy,
      ownModel: identityOf(own.model),
      isStrained: () => this.#router?.isStrained ?? false,
      onCanarySession: (name, side) => this.desk.began(name, side),
      onCanary: (name, side, outcome) => this.desk.count(name, side, outcome),
      keep: this.#shadowLog?.keep,
      now: () => performance.now(),
      wallMs: Date.now,
    });
    const names = this.policy.spec.backends.map(({ name }) => name).join(', ');
    log.info({ policy: this.policy.name, backends: names }, 'a routing policy decides who writes transcripts');
  }

  get policy(): PolicyInForce {
    return this.#ready.policy;
  }

  /** Whether the server's own model is loaded. */
  get isWarm(): boolean {
    return this.#engine !== undefined;
  }

  /** The models beside the server's own that run. */
  readonly models = (): readonly LocalModel[] => this.#localModels.all();

  /**
   * Resolves with the server's own model when that and all that the policy names are warm.
   *
   * @throws SpeechfbError `bad_config` where one of these cannot be run
   */
  async load(own: Promise<AcousticEngine>): Promise<AcousticEngine> {
    const [engine] = await Promise.all([own, this.#ready.load()]);
    this.#engine = engine;
    return engine;
  }

  /** Lets the router of a server have each policy, and the policy follow its file. */
  follow(router: Router | undefined, reloads: FollowedFiles): void {
    this.#router = router;
    router?.adopt(this.policy);
    this.desk.follow(reloads);
  }

  /** New sessions see this policy from here on. */
  #adopt(ready: ReadyPolicy): void {
    const before = this.#ready;
    this.#ready = ready;
    this.#router?.adopt(ready.policy);
    before.release();
  }

  /** The server's own model, as a shadow hears by it. */
  get #own(): LocalModel {
    const { model, scoring } = this.#ownModel;
    const engine = this.#engine;
    if (!engine) throw new Error('the model is not loaded yet');
    return {
      identity: identityOf(model),
      engine,
      scoring,
      sessions: 0,
      hindrance: () => undefined,
      hold: () => () => {},
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.desk[Symbol.asyncDispose]();
    await this.#backends.close();
    await this.#localModels.close();
    await this.meter?.close();
    await this.#shadowLog?.close();
  }
}

type RoutingParts = Pick<RoutingPlace, 'log' | 'own'> & {
  desk: PolicyDesk;
  backends: PolicyBackends;
  models: LocalModels;
};
