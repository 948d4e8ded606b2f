import { appendFileSync } from 'node:fs';
import { createBackends } from '../../../backends/create-backends.ts';
import { SpeechfbError } from '../../../errors.ts';
import type { PolicySpec } from '../../../routing/policy/spec.ts';
import { isSameLanguage } from '../../../server/hearing/language.ts';
import type { PolicyInForce } from '../../../server/hearing/managed-backend.ts';
import { UsageLog } from '../../../server/hearing/usage-log.ts';
import type { Log } from '../../../telemetry/log.ts';
import { type NamedPolicy, parsePolicy } from '../../route/read-policy.ts';
import type { RoutingSettings } from './flags.ts';

export type RoutingPlace = {
  log: Log;
  /** The language of the own model. */
  language: string;
  /** Processes that share what the policy allows. */
  gateways: number;
};

/** The policy of a server, the backends that it names, and the log of who used what. */
export class ServedRouting implements AsyncDisposable {
  readonly policy: PolicyInForce;
  readonly meter: UsageLog | undefined;

  private constructor(policy: PolicyInForce, meter: UsageLog | undefined) {
    this.policy = policy;
    this.meter = meter;
  }

  /**
   * Nothing is connected yet.
   *
   * @throws SpeechfbError `bad_config`, `output_unwritable`, and what a backend cannot be made for
   */
  static open(settings: RoutingSettings | undefined, place: RoutingPlace): ServedRouting | undefined {
    if (!settings) return undefined;
    const { path, text } = settings.policy;
    const policy = inForce(path, parsePolicy(path, text), place);
    const { usageLog } = settings;
    const { log } = place;
    if (usageLog !== undefined) checkWritable(usageLog);
    const meter = usageLog === undefined ? undefined : new UsageLog({ path: usageLog, log, wallMs: Date.now });
    const backends = policy.spec.backends.map(({ name }) => name).join(', ');
    log.info({ policy: policy.name, backends }, 'a routing policy decides who writes transcripts');
    return new ServedRouting(policy, meter);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.policy.backends.values()].map((backend) => backend.close()));
    await this.meter?.close();
  }
}

/** A policy with its backends, at one of several gateways with its part of what they may have. */
function inForce(path: string, { name, spec }: NamedPolicy, { log, language, gateways }: RoutingPlace): PolicyInForce {
  checkOwnLanguage(path, spec, language);
  const own: PolicySpec = { ...spec, backends: spec.backends.map((backend) => partOf(backend, gateways)) };
  const backends = createBackends(
    own.backends.filter(({ kind }) => kind !== 'local'),
    {
      policyFile: path,
      local: (backend) => {
        throw new RangeError(`${backend} is the own model, which the session hears`);
      },
      onChange: ({ state, why }, backend) => {
        const fields = { backend, class: why?.class, why: why?.message };
        if (state === 'open') log.warn(fields, 'a backend is left alone: its breaker has opened');
        else if (state === 'closed') log.info({ backend }, 'a backend hears again: its breaker has closed');
        else log.info({ backend }, 'one session tries a backend: its breaker is half open');
      },
    },
  );
  return { name, spec: own, backends };
}

function partOf(backend: PolicySpec['backends'][number], gateways: number): PolicySpec['backends'][number] {
  const { maxSessions, most } = backend;
  return {
    ...backend,
    ...(maxSessions !== undefined && { maxSessions: Math.ceil(maxSessions / gateways) }),
    ...(most !== undefined && { most: most / gateways }),
  };
}

/** The own model must not be asked for a language that it does not know. */
function checkOwnLanguage(path: string, { backends }: PolicySpec, language: string): void {
  for (const { name, kind, languages } of backends) {
    if (kind !== 'local') continue;
    const foreign = languages?.filter((one) => !isSameLanguage(one, language));
    if (languages !== undefined && foreign?.length === 0) continue;
    const said = languages === undefined ? 'says no languages' : `says that it understands ${foreign!.join(', ')}`;
    const own = language.split('-')[0]!.toLowerCase();
    const hint = `write languages: [${own}]`;
    throw new SpeechfbError(
      'bad_config',
      `${path}: backend "${name}" is the own model, which hears ${own}, and ${said}`,
      {
        hint,
      },
    );
  }
}

function checkWritable(path: string): void {
  try {
    appendFileSync(path, '');
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new SpeechfbError('output_unwritable', `the usage log ${path} cannot be written: ${code}`, { cause });
  }
}
