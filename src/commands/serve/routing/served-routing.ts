import type { AuditLog } from '../../../audit/log.ts';
import { notesOf } from '../../../routing/policy/notes.ts';
import { Comparer } from '../../../server/comparing/comparer.ts';
import { ShadowLog } from '../../../server/comparing/shadow-log.ts';
import type { PolicyInForce } from '../../../server/hearing/managed-backend.ts';
import type { Router } from '../../../server/hearing/router.ts';
import { UsageLog } from '../../../server/hearing/usage-log.ts';
import type { Witness } from '../../../server/hearing/witness.ts';
import type { Log } from '../../../telemetry/log.ts';
import type { LivePolicyFigures } from '../../../telemetry/policy-metrics.ts';
import { type RoutingSettings, sourceOf } from './flags.ts';
import { PolicyBackends } from './policy-backends.ts';
import { type FollowedFiles, PolicyDesk } from './policy-desk.ts';

export type RoutingPlace = {
  log: Log;
  /** The own model. */
  model: { language: string };
  /** Processes that share what the policy allows. */
  gateways: number;
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
  #policy: PolicyInForce;
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
    const { log, audit, model, gateways, tenants } = place;
    const source = sourceOf(settings);
    const policyFile = source.kind === 'file' ? source.file : '.';
    const backends = new PolicyBackends({ log, language: model.language, gateways, policyFile });
    const served: { here?: ServedRouting } = {};
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
      prepare(kept) {
        const policy = backends.inForce(kept);
        return () => {
          served.here?.adopt(policy);
          note(policy);
        };
      },
    });
    note(desk.current);
    served.here = new ServedRouting(settings, { log, desk, backends });
    return served.here;
  }

  private constructor(
    { usageLog, shadowLog }: RoutingSettings,
    { log, desk, backends }: { log: Log; desk: PolicyDesk; backends: PolicyBackends },
  ) {
    this.desk = desk;
    this.#backends = backends;
    this.#policy = backends.inForce(desk.current);
    this.meter = usageLog === undefined ? undefined : new UsageLog({ path: usageLog, log, wallMs: Date.now });
    this.#shadowLog = shadowLog === undefined ? undefined : new ShadowLog(shadowLog, log);
    this.witness = new Comparer({
      policy: () => this.#policy,
      onCanarySession: (name, side) => this.desk.began(name, side),
      onCanary: (name, side, outcome) => this.desk.count(name, side, outcome),
      keep: this.#shadowLog?.keep,
      now: () => performance.now(),
      wallMs: Date.now,
    });
    const names = this.#policy.spec.backends.map(({ name }) => name).join(', ');
    log.info({ policy: this.#policy.name, backends: names }, 'a routing policy decides who writes transcripts');
  }

  get policy(): PolicyInForce {
    return this.#policy;
  }

  /** New sessions see this policy from here on. */
  adopt(policy: PolicyInForce): void {
    this.#policy = policy;
    this.#router?.adopt(policy);
  }

  /** Lets the router of a server have each policy, and the policy follow its file. */
  follow(router: Router | undefined, reloads: FollowedFiles): void {
    this.#router = router;
    router?.adopt(this.#policy);
    this.desk.follow(reloads);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.desk[Symbol.asyncDispose]();
    await this.#backends.close();
    await this.meter?.close();
    await this.#shadowLog?.close();
  }
}
