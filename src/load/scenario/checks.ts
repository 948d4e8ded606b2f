import type { z } from 'zod';
import { inUnits, isMapping } from '../../config/fields.ts';
import { namedNetwork, unknownNetwork } from '../../sim/networks/index.ts';
import { didYouMean } from '../../suggest.ts';
import type { FaultPart } from '../fault/definition/definition.ts';
import { directNetwork, directProfile } from '../plan/learner-plan.ts';
import { entriesOf, type FaultSpec } from './faults-schema.ts';
import { type Weight, weightProblems } from './fields.ts';
import { phasesEndMs } from './load-profile-of.ts';
import type { LoadSpec } from './load-schema.ts';

/**
 * A spec of which anything may have other problems: whatever is not as it should be is told there,
 * and left alone here.
 */
type LooseSpec = {
  target?: { url?: unknown; protocol?: string; embedded?: EmbeddedParts | undefined };
  learners?: { frame?: unknown };
  networks?: object | undefined;
  mix?: readonly { network?: string; weight?: Weight }[] | undefined;
  load?: LoadSpec;
  faults?: readonly FaultSpec[];
  cost?: unknown;
  objectives?: readonly {
    source?: string;
    aggregation?: string;
    selector?: { profile?: string; phase?: string; tenant?: string };
    abortOnFail?: boolean;
    delayMs?: number;
  }[];
  warmup?: unknown;
  duration?: unknown;
};

type EmbeddedParts = {
  nodes?: unknown;
  gateways?: unknown;
  zones?: unknown;
  store?: unknown;
  tls?: unknown;
  handoff?: unknown;
  workers?: unknown;
  tenants?: unknown;
};

/** What the sections of a scenario have wrong with one another, each at its place. */
export function checkScenario(spec: LooseSpec, context: z.RefinementCtx): void {
  const problem: Report = (path, message) => context.addIssue({ code: 'custom', path, message });
  const endMs = checkDuration(spec, problem);
  if (Array.isArray(spec.mix)) checkMix(spec.mix, spec.networks ?? {}, problem);
  if (Array.isArray(spec.faults)) checkFaults(spec.faults, spec, endMs, problem);
  if (Array.isArray(spec.objectives)) {
    checkSelectors(spec.objectives, spec, problem);
    checkTwice(spec.objectives, problem);
    checkAborts(spec.objectives, endMs, problem);
    if (!hasServerPrice(spec.cost)) checkPrices(spec.objectives, problem);
  }
  const { frame } = spec.learners ?? {};
  if (typeof frame === 'number' && frame > 100 && spec.target?.protocol === 'speechfb')
    problem(['learners', 'frame'], `${inUnits(frame)} is outside 10 ms to 100 ms, which speechfb takes`);
  if (typeof spec.warmup === 'number' && endMs !== undefined && spec.warmup >= endMs)
    problem(['warmup'], 'is not shorter than the test: nothing would be measured');
}

type Report = (path: PropertyKey[], message: string) => void;

/** How long the test is, ms, if that is clear. */
function checkDuration({ duration, load }: LooseSpec, problem: Report): number | undefined {
  const phases = Array.isArray(load?.phases) ? load.phases : undefined;
  const sum = phases?.every((phase) => typeof phase?.duration === 'number') ? phasesEndMs(load!) : undefined;
  if (duration === undefined && load && !phases) problem([], 'has no duration; only a load with phases needs none');
  if (typeof duration === 'number' && sum !== undefined && duration !== sum)
    problem(['duration'], `is ${duration} ms, but the phases take ${sum} ms together; leave it out`);
  if (typeof duration === 'number' && typeof load?.ramp === 'number' && load.ramp >= duration)
    problem(['load', 'ramp'], 'is not shorter than the duration: some learners would never arrive');
  return sum ?? (typeof duration === 'number' ? duration : undefined);
}

function checkMix(mix: NonNullable<LooseSpec['mix']>, networks: object, problem: Report): void {
  const seen = new Set<string>();
  for (const [index, entry] of mix.entries()) {
    const name = entry?.network;
    if (typeof name !== 'string') continue;
    const wrong = networkProblem(name, networks);
    if (wrong) problem(['mix', index, 'network'], wrong);
    if (seen.has(name.toLowerCase())) problem(['mix', index, 'network'], `"${name}" is already in the mix`);
    seen.add(name.toLowerCase());
  }
  const weights = mix.map((entry) => (isMapping(entry?.weight) ? entry.weight : undefined));
  for (const [place, message] of weightProblems(weights))
    problem(place < 0 ? ['mix'] : ['mix', place, 'weight'], message);
}

/**
 * An objective on a network that nobody has, or on a phase that never comes, would wait for samples
 * that never come.
 */
function checkSelectors(
  list: NonNullable<LooseSpec['objectives']>,
  { mix, load, target }: LooseSpec,
  problem: Report,
): void {
  const profiles = Array.isArray(mix)
    ? mix.map((entry) => (entry?.network === directNetwork ? directProfile : `${entry?.network}`))
    : [directProfile];
  const phases = Array.isArray(load?.phases) ? load.phases.map((phase, i) => `${phase?.name ?? `phase-${i + 1}`}`) : [];
  const listed = target?.embedded?.tenants;
  const tenants = Array.isArray(listed) ? listed.map((one: { name?: unknown }) => `${one?.name}`) : [];
  for (const [index, objective] of list.entries()) {
    const { profile, phase, tenant } = objective?.selector ?? {};
    const say = (message: string) => problem(['objectives', index], message);
    if (typeof profile === 'string' && !profiles.some((name) => same(name, profile)))
      say(
        `selects profile=${profile}, which nobody has${didYouMean(profile, profiles)}; allowed: ${profiles.join(', ')}`,
      );
    if (typeof tenant === 'string' && !tenants.some((name) => same(name, tenant))) {
      const known =
        tenants.length === 0
          ? 'there are none; write them in target.embedded.tenants'
          : `allowed: ${tenants.join(', ')}`;
      say(`selects tenant=${tenant}, whom nobody belongs to${didYouMean(tenant, tenants)}; ${known}`);
    }
    if (typeof phase !== 'string' || (phases.length > 1 && phases.some((name) => same(name, phase)))) continue;
    if (phases.length < 2) say(`selects phase=${phase}, but the load has no phases; write them in spec.load.phases`);
    else say(`selects phase=${phase}, which never comes${didYouMean(phase, phases)}; allowed: ${phases.join(', ')}`);
  }
}

function same(one: string, other: string): boolean {
  return one.toLowerCase() === other.toLowerCase();
}

/**
 * Sessions are held against each objective by what is written: two of one text would count them
 * twice.
 */
function checkTwice(list: NonNullable<LooseSpec['objectives']>, problem: Report): void {
  const first = new Map<string, number>();
  for (const [index, objective] of list.entries()) {
    const text = objective?.source?.replace(/\s+/g, '');
    if (text === undefined) continue;
    if (first.has(text)) problem(['objectives', index], `is the same as objective ${first.get(text)! + 1}; keep one`);
    else first.set(text, index);
  }
}

function checkAborts(list: NonNullable<LooseSpec['objectives']>, endMs: number | undefined, problem: Report): void {
  for (const [index, objective] of list.entries()) {
    const { abortOnFail, delayMs = 0 } = objective ?? {};
    if (abortOnFail !== true || endMs === undefined || delayMs < endMs) continue;
    problem(
      ['objectives', index, 'delay'],
      `${delayMs} ms is not before the end of the test at ${endMs} ms: nothing would abort it`,
    );
  }
}

/** A price of sound alone is not what servers cost. */
function hasServerPrice(cost: unknown): boolean {
  return (
    isMapping(cost) && (cost.server !== undefined || cost.capacity !== undefined || cost.perAudioMinute === undefined)
  );
}

function checkPrices(list: NonNullable<LooseSpec['objectives']>, problem: Report): void {
  for (const [index, objective] of list.entries()) {
    if (objective?.aggregation !== 'cost') continue;
    problem(['objectives', index], 'needs a price; write spec.cost: {server: $1.20/h}, or {capacity: FILE}');
  }
}

function checkFaults(list: readonly FaultSpec[], spec: LooseSpec, endMs: number | undefined, problem: Report): void {
  const mix = Array.isArray(spec.mix) ? spec.mix.map((entry) => `${entry?.network}`) : [directNetwork];
  for (const [index, given] of list.entries()) {
    for (const [fault, { at, every, network, ...own }] of entriesOf(given)) {
      const { key: name, target } = fault;
      const path = (key: string) => ['faults', index, name, key];
      if (typeof at === 'number' && endMs !== undefined && at >= endMs)
        problem(path('at'), `${at} ms is after the end of the test at ${endMs} ms`);
      if (typeof every === 'number' && endMs !== undefined && every >= endMs)
        problem(path('every'), `${every} ms is longer than the test of ${endMs} ms: it would never happen`);
      if (target === 'server' && spec.target?.url !== undefined)
        problem(['faults', index, name], 'needs the embedded server, but target.url is given');
      else if (fault.target === 'server' && fault.serveFlag && spec.target?.embedded?.nodes !== undefined)
        problem(
          ['faults', index, name],
          'hurts the model of a server without nodes; with target.embedded.nodes use killNode or stopNode',
        );
      else if (fault.target === 'server' && fault.part) {
        const missing = partProblem(fault.part, own, spec.target?.embedded);
        const isNumbered = !['store', 'queue', 'tls'].includes(fault.part);
        if (missing) problem(isNumbered ? path(fault.part) : ['faults', index, name], missing);
      }
      if (typeof network === 'string' && !mix.some((known) => known.toLowerCase() === network.toLowerCase()))
        problem(path('network'), `"${network}" is not in the mix: ${mix.join(', ')}`);
    }
  }
}

/** Why the embedded server has not the part that a fault is for; undefined: it has it. */
function partProblem(
  part: FaultPart,
  { [part]: place }: Record<string, unknown>,
  { nodes, gateways, zones, store, tls, handoff, workers }: EmbeddedParts = {},
): string | undefined {
  if (part === 'store') return store === undefined ? 'needs a store: write target.embedded.store: redis' : undefined;
  if (part === 'queue')
    return handoff === undefined ? 'needs a Kafka: write target.embedded.handoff: kafka' : undefined;
  if (part === 'tls') return tls === true ? undefined : 'needs certificates: write target.embedded.tls: true';
  if (typeof place !== 'number') return undefined;
  const worker = handoff === undefined ? undefined : (workers ?? 1);
  const there = { node: nodes, zone: zones, gateway: serversOf({ nodes, gateways, store }), worker }[part];
  if (typeof there === 'number' && place <= there) return undefined;
  return `there is no ${part} ${place}: target.embedded.${part}s is ${there ?? 'not given'}`;
}

/** Servers on ports of their own; those behind one port cannot be told apart. */
function serversOf({ nodes, gateways, store }: EmbeddedParts): unknown {
  return nodes === undefined && store === undefined ? 1 : (gateways ?? 1);
}

/** What is wrong with the name of a network; undefined when one is called so. */
function networkProblem(name: string, networks: object): string | undefined {
  const own = Object.keys(networks);
  const known = name === directNetwork || own.some((key) => key.toLowerCase() === name.toLowerCase());
  return known || namedNetwork(name) ? undefined : unknownNetwork(name, own);
}
