import type { z } from 'zod';
import { durationText } from '../../format.ts';
import { metricNeeds } from './assertion.ts';
import { type CurvePoint, curveProblems } from './curve.ts';
import type { CapacitySpec } from './spec.ts';

/**
 * What no single field can see. Fields that failed their own check are absent here, so every part
 * is looked at with care: all problems of a file come at once.
 */
export function checkCapacityScenario(spec: CapacitySpec, context: z.RefinementCtx): void {
  const given: DeepPartial<CapacitySpec> = spec ?? {};
  const refuse = (path: PropertyKey[], message: string) => context.addIssue({ code: 'custom', path, message });
  const { demand, pod, supply, regions, simulation } = given;

  if (demand && demand.peakUsers === undefined && demand.usersByMinute === undefined)
    refuse(['demand'], 'has no users; write peakUsers or usersByMinute');
  if (demand?.peakUsers !== undefined && demand.usersByMinute !== undefined)
    refuse(['demand', 'usersByMinute'], 'stands beside peakUsers; write one of the two');
  const { spike } = demand ?? {};
  if (typeof spike?.at === 'number' && typeof simulation?.duration === 'number' && spike.at >= simulation.duration)
    refuse(
      ['demand', 'spike', 'at'],
      `${durationText(spike.at)} is not before the end of the simulation at ${durationText(simulation.duration)}: it would not be played`,
    );
  if (demand?.audio?.bitrate !== undefined && demand.audio.codec !== 'opus')
    refuse(['demand', 'audio', 'bitrate'], `belongs to codec opus; ${demand.audio.codec} has one rate`);
  if (pod && (pod.streams === undefined) === (pod.profile === undefined))
    refuse(['pod'], `has ${pod.streams === undefined ? 'neither' : 'both'} streams and profile; write one of the two`);
  const profile = pod?.profile;
  if (profile && (profile.curve === undefined) === (profile.points === undefined))
    refuse(['pod', 'profile'], 'needs exactly one of curve (a file) and points');
  checkPoints(profile, (index, message) => refuse(['pod', 'profile', 'points', index], message));

  const own = supply?.selfHosted;
  if (typeof own?.share === 'number' && own.share < 1 && supply?.managed === undefined)
    refuse(
      ['supply', 'selfHosted', 'share'],
      `${Number((own.share * 100).toPrecision(12))}% leaves the rest to nobody; add supply.managed`,
    );

  if (Array.isArray(regions)) {
    const sum = regions.reduce((total, region) => total + (region?.share ?? Number.NaN), 0);
    if (Math.abs(sum - 1) > 1e-9) refuse(['regions'], `shares add up to ${Number((sum * 100).toFixed(6))}%, not 100%`);
    const names = regions.map((region) => region?.name);
    for (const [index, name] of names.entries())
      if (names.indexOf(name) < index) refuse(['regions', index, 'name'], `"${name}" is the name of another region`);
  }
  const steps = listOf(given.batching?.steps).map((step) => step?.batch);
  for (const [index, size] of steps.entries())
    if (steps.indexOf(size) < index) refuse(['batching', 'steps', index], `batch ${size} was measured above`);

  for (const metric of Object.keys(given.assert ?? {})) {
    const lacking = metricNeeds(metric, given);
    if (lacking) refuse(['assert', metric], `needs ${lacking}, which this scenario does not have`);
  }
}

/** Points written in the scenario itself, once they and the limit are numbers. */
function checkPoints(
  profile: DeepPartial<Profile> | undefined,
  refuse: (index: number, message: string) => void,
): void {
  const { percentile, value } = profile?.slo ?? {};
  const points = listOf(profile?.points).filter((point) => typeof point?.streams === 'number') as CurvePoint[];
  if (typeof percentile !== 'number' || typeof value !== 'number') return;
  for (const { index, message } of curveProblems(points, { percentile, valueMs: value })) refuse(index, message);
}

/** Nothing, where there is no list or something else. */
function listOf<T>(given: readonly T[] | undefined): readonly T[] {
  return Array.isArray(given) ? given : [];
}

type Profile = NonNullable<CapacitySpec['pod']['profile']>;

type DeepPartial<T> = T extends readonly (infer E)[]
  ? DeepPartial<E>[]
  : T extends object
    ? { [K in keyof T]?: DeepPartial<T[K]> | undefined }
    : T;
