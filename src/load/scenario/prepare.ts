import { readFileSync } from 'node:fs';
import type { Credentials } from '../../client/dialect-links.ts';
import type { TlsOptions } from '../../client/link/websocket-connection.ts';
import { readToken, tokenOf } from '../../client/token.ts';
import { unreadable } from '../../config/read-chunks.ts';
import { badConfig } from '../../config/yaml.ts';
import { createDialect } from '../../dialects/catalogue.ts';
import { type Problem, SpeechfbError } from '../../errors.ts';
import { dollars, whole } from '../../format.ts';
import type { ServerCost } from '../../results/cost.ts';
import type { NetworkProfile } from '../../sim/profile/profile.ts';
import { faultTable } from '../fault/index.ts';
import { type FaultPlan, type FaultRequest, planFaults } from '../plan/faults.ts';
import type { LearnerPlan, LoadPhase } from '../plan/learner-plan.ts';
import { expectedLoad, type LoadProfile, largestLoad } from '../plan/load-profile.ts';
import { peakConcurrency } from '../plan/peak-concurrency.ts';
import { planHash, planLearners } from '../plan/plan.ts';
import { partOf, type ShardOf } from '../plan/shard-split.ts';
import type { Behaviour } from '../plan/utterances.ts';
import { gatedFrames } from '../plan/vad-gating.ts';
import { noCredentials, readCredentials } from './auth-schema.ts';
import { type ClipMix, readClipMix } from './clip-mix.ts';
import type { Clip } from './clips.ts';
import { readPrices } from './cost-schema.ts';
import { entriesOf, timesOf } from './faults-schema.ts';
import { loadProfileOf } from './load-profile-of.ts';
import { carrierProblems, unmeasurable } from './measurable.ts';
import { canonicalName } from './network-names.ts';
import { type MixedNetworks, problemsAt, readNetworks } from './networks.ts';
import type { LoadScenario } from './scenario.ts';

/** Everything that a test needs and that can be known before it begins. */
export type PreparedLoad = {
  shape: LoadProfile;
  loadPhases: LoadPhase[];
  clips: Clip[];
  /** Which of them each entry of the scenario's `learners.clips` has. */
  clipMix: ClipMix['clipMix'];
  networks: Record<string, NetworkProfile>;
  /** The learners of this shard alone, when there are several shards. */
  plans: LearnerPlan[];
  faults: FaultPlan[];
  /** Hash of the whole test's schedule, however many shards share it. */
  planHash: string;
  /** Between two utterances; undefined where a duty cycle decides it. */
  meanPauseMs: number | undefined;
  /** Sessions of the whole test, and how many of them at once. */
  whole: { sessions: number; peak: number };
  shard: (ShardOf & { planHash: string }) | undefined;
  token: string | undefined;
  credentials: Credentials;
  tls: TlsOptions | undefined;
  prices: ServerCost | undefined;
  /** What this shard sends, and what its sound costs where the scenario says so. */
  bill: Bill;
  /** The same of all shards. */
  wholeBill: Bill;
};

/** `most`: the whole test may cost this. */
export type Bill = { audioMinutes: number; dollars: number | undefined; most: number | undefined };

/**
 * Reads what a scenario names and decides the whole schedule. Throws `bad_config` with every clip,
 * trace, certificate and token that is missing or unfit, and every fault that would hit nobody.
 */
export function prepareLoad(scenario: LoadScenario, shard?: ShardOf): PreparedLoad {
  const { spec, at, file } = scenario;
  const problems: Problem[] = [];
  const { clips, clipMix } = readClipMix(scenario, problems);
  const mixed = readNetworks(scenario, problems);
  const { networks, mix } = mixed;
  const target = readTarget(scenario, problems);
  const prices = spec.cost && attempt(scenario, ['cost'], problems, () => readPrices(spec.cost!));
  checkLanguages(scenario, clips, problems);
  checkMeasurable(scenario, mixed, problems);
  checkResumes(scenario, networks, problems);
  if (problems.length > 0) throw badConfig(file, inOrder(problems));

  const shape = loadProfileOf(spec.load, spec.duration);
  const behaviour = behaviourOf(spec.learners);
  const gating = spec.learners.vadGating;
  const planClips = clips.map((clip) => {
    if (!gating) return clip;
    const frames = Math.ceil(clip.durationMs / behaviour.frameMs);
    const options = { hangoverMs: gating.hangover, leadMs: gating.lead };
    return { ...clip, gated: gatedFrames(clip, frames, behaviour.frameMs, options) };
  });
  checkSize(scenario, shape);
  const plans = planLearners({
    shape,
    behaviour,
    seed: spec.seed,
    clips: planClips,
    clipMix,
    networks: mix,
    tenants: tenantMix(scenario),
  });
  if (plans.length === 0) throw badConfig(file, [{ where: at(['spec', 'load']), message: 'nobody would come' }]);
  const { faults, idle } = planFaults(faultRequests(scenario), plans, spec.seed);
  const nobody = idle.map(([place, atMs]) => ({
    where: at(['spec', 'faults', place]),
    message: `spec.faults.${place}: hits nobody: no such learner is there at ${atMs / 1000} s`,
  }));
  if (nobody.length > 0) throw badConfig(file, nobody);

  if (shard && shard.count > plans.length) {
    const message = `--shard ${shard.index}/${shard.count}: the test has ${plans.length} sessions, one a shard at least is needed`;
    throw new SpeechfbError('bad_flag', message);
  }
  const part = shard ? partOf(plans, faults, shard) : { plans, faults };
  return {
    shape,
    loadPhases: shape.phases.map(({ name, beginMs, endMs }) => ({ name, beginMs, endMs })),
    clips,
    clipMix,
    networks,
    ...part,
    planHash: planHash(plans, faults),
    meanPauseMs: 'speaking' in behaviour.pause ? undefined : (behaviour.pause.leastMs + behaviour.pause.mostMs) / 2,
    whole: { sessions: plans.length, peak: peakConcurrency(plans) },
    shard: shard && { ...shard, planHash: planHash(part.plans, part.faults) },
    ...target,
    prices,
    bill: billOf(scenario, part.plans),
    wholeBill: billOf(scenario, plans),
  };
}

/**
 * What the sound of these learners costs, all of it, whether an app holds some of it back or not.
 */
function billOf({ spec }: LoadScenario, plans: readonly LearnerPlan[]): Bill {
  const frames = plans.flatMap(({ utterances }) => utterances).reduce((sum, one) => sum + one.frames, 0);
  const audioMinutes = (frames * spec.learners.frame) / 60_000;
  const { perAudioMinute, most } = spec.cost ?? {};
  return { audioMinutes, dollars: perAudioMinute === undefined ? undefined : audioMinutes * perAudioMinute, most };
}

/** Refuses a test that would cost more than it may. Throws `bad_config`. */
export function checkBill({ file, at }: LoadScenario, { audioMinutes, dollars: cost, most }: Bill): void {
  if (cost === undefined || most === undefined || cost <= most) return;
  const message = `spec.cost.most: the test would send ${audioMinutes.toFixed(1)} minutes of audio for ${dollars(cost)}, which is more than ${dollars(most)}`;
  throw badConfig(file, [{ where: at(['spec', 'cost', 'most']), message }]);
}

/**
 * All that learners will do is planned before the test begins: what fits into no memory is said,
 * not tried.
 */
function checkSize({ file, at }: LoadScenario, shape: LoadProfile): void {
  const asked = expectedLoad(shape);
  const what = asked.hours > largestLoad.hours ? 'hours' : 'sessions';
  if (asked[what] <= largestLoad[what]) return;
  const [much, most] = [asked[what], largestLoad[what]].map((value) => whole(value));
  const message = `spec.load: makes ${much} ${what === 'hours' ? 'hours of learners' : what}; allowed: at most ${most}`;
  throw badConfig(file, [{ where: at(['spec', 'load']), message }]);
}

/** An objective on a language that nobody speaks would wait for samples that never come. */
function checkLanguages({ spec, at }: LoadScenario, clips: readonly Clip[], problems: Problem[]): void {
  const spoken = [...new Set(clips.map(({ language }) => language))];
  for (const [index, { selector }] of spec.objectives.entries()) {
    const { language } = selector;
    if (language === undefined || spoken.length === 0 || spoken.includes(language)) continue;
    const message = `spec.objectives.${index}: selects language=${language}, which nobody speaks; allowed: ${spoken.join(', ')}`;
    problems.push({ where: at(['spec', 'objectives', index]), message });
  }
}

/** What the target's protocol cannot do: an objective on what it does not tell, a network. */
function checkMeasurable({ spec, at, dialect: spoken }: LoadScenario, mixed: MixedNetworks, problems: Problem[]): void {
  const dialect = spoken && createDialect(spoken);
  for (const { path, message } of carrierProblems(spec.target, mixed, dialect))
    problems.push({ where: at(['spec', ...path]), message: `spec.${path.map(String).join('.')}: ${message}` });
  if (!dialect) return;
  for (const [index, { metric }] of spec.objectives.entries()) {
    const why = unmeasurable(metric, dialect);
    if (why !== undefined)
      problems.push({ where: at(['spec', 'objectives', index]), message: `spec.objectives.${index}: ${why}` });
  }
}

/**
 * An objective on resumed sessions waits for ever where nothing cuts a socket; a server elsewhere
 * may do so by itself.
 */
function checkResumes({ spec, at }: LoadScenario, networks: Record<string, NetworkProfile>, problems: Problem[]): void {
  const index = spec.objectives.findIndex(({ metric }) => metric === 'resume_time');
  const cuts = spec.faults.some((given) => entriesOf(given).some(([fault]) => fault.cutsSockets));
  const mayBreak = Object.values(networks).some(
    ({ events, up, down }) => events.length > 0 || up.loss.model !== 'none' || down.loss.model !== 'none',
  );
  if (index < 0 || cuts || mayBreak || spec.target.url !== undefined) return;
  const causes = faultTable.filter((fault) => fault.cutsSockets).map(({ key }) => key);
  const message = `spec.objectives.${index}: waits for resumed sessions, but nothing cuts a socket; add a fault (${causes.join(', ')}) or a network that fails`;
  problems.push({ where: at(['spec', 'objectives', index]), message });
}

/** Problems of the scenario by line and column, those of other files after them. */
function inOrder(problems: readonly Problem[]): Problem[] {
  const placeOf = ({ where = '' }: Problem) => (/:(\d+):(\d+)$/.exec(where) ?? []).slice(1).map(Number);
  return problems.toSorted((a, b) => {
    const [line = Number.POSITIVE_INFINITY, column = 0] = placeOf(a);
    const [otherLine = Number.POSITIVE_INFINITY, otherColumn = 0] = placeOf(b);
    return line === otherLine ? column - otherColumn : line - otherLine;
  });
}

function behaviourOf({ frame, pause, dutyCycle, bargeIn }: LoadScenario['spec']['learners']): Behaviour {
  const between = dutyCycle === undefined ? (pause ?? { leastMs: 500, mostMs: 500 }) : { speaking: dutyCycle };
  return { frameMs: frame, pause: between, bargeIn };
}

function tenantMix({ spec }: LoadScenario): { tenant: string; weight: number }[] {
  return (spec.target.embedded?.tenants ?? []).map(({ name, weight }) => ({ tenant: name, weight: weight.value }));
}

/** The faults as ordered, each at all of its times. */
function faultRequests({ spec }: LoadScenario): FaultRequest[] {
  const own = spec.networks ?? {};
  return spec.faults.flatMap(entriesOf).map(([{ name }, fault]) => {
    const { at, every, learners: share, network, for: forMs, ...details } = fault;
    const targets = network === undefined ? { share } : { share, network: canonicalName(own, network) };
    // Plans are hashed as JSON, so the order of keys is part of a schedule's identity.
    return {
      kind: name,
      atMs: timesOf(fault, spec.duration),
      ...(share !== undefined && { learners: targets }),
      ...(forMs !== undefined && { forMs }),
      ...details,
    } as FaultRequest;
  });
}

function readTarget(scenario: LoadScenario, problems: Problem[]): Pick<PreparedLoad, 'token' | 'credentials' | 'tls'> {
  const { token: written, tokenFile, tls, auth } = scenario.spec.target;
  const read = <T>(key: string[], how: () => T) => attempt(scenario, ['target', ...key], problems, how);
  const token =
    tokenFile === undefined
      ? written && read(['token'], () => tokenOf(written))
      : read(['tokenFile'], () => readToken(tokenFile));
  const ca = tls?.ca === undefined ? undefined : read(['tls', 'ca'], () => readCertificate(tls.ca!));
  const options = { ...(ca === undefined ? {} : { ca }), ...(tls?.insecure ? { insecure: true as const } : {}) };
  const credentials = auth && read(['auth'], () => readCredentials(auth, scenario.file));
  return { token, credentials: credentials ?? noCredentials, tls: tls && options };
}

/**
 * What `read` reads; undefined when it cannot, which is a problem of what stands at the path in the
 * spec.
 */
function attempt<T>({ at }: LoadScenario, path: string[], problems: Problem[], read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    problems.push(...problemsAt(at(['spec', ...path]), error));
    return undefined;
  }
}

function readCertificate(file: string): string {
  let pem: string;
  try {
    pem = readFileSync(file, 'utf8');
  } catch (cause) {
    throw unreadable(file, 'certificate authority', cause);
  }
  if (pem.includes('-----BEGIN CERTIFICATE-----')) return pem;
  throw new SpeechfbError('bad_config', `"${file}" holds no PEM certificate`);
}
