import { SpeechfbError } from '../../errors.ts';
import { flag } from '../../flag.ts';
import { dollars } from '../../format.ts';
import type { ShardOf } from '../../load/plan/shard-split.ts';
import { withOverrides } from '../../load/scenario/overrides.ts';
import { type Bill, checkBill, type PreparedLoad, prepareLoad } from '../../load/scenario/prepare.ts';
import { unprovable } from '../../load/scenario/proof.ts';
import { type LoadScenario, readScenario } from '../../load/scenario/scenario.ts';
import { tooFewSessions } from '../../load/scenario/session-needs.ts';
import { tooFewSessionsText, unprovableText } from '../../report/load/proof-text.ts';
import { say } from '../output.ts';
import { shippedOr } from '../shipped.ts';
import { checkClipsFit } from './clip-fit.ts';
import { checkConsent } from './consent.ts';
import { checkEmbeddedLimits } from './embedded-limits.ts';
import type { LoadtestFlags } from './flags.ts';
import { checkWordEnds } from './word-ends.ts';

export type ReadyLoad = { scenario: LoadScenario; prepared: PreparedLoad; startAtEpochMs: number | undefined };

/**
 * Reads the scenario with the flags' overrides, says on stderr what they changed, and decides the
 * schedule.
 */
export function prepareLoadtest(file: string, flags: LoadtestFlags): ReadyLoad {
  const { scenario, notes } = withOverrides(readScenario(shippedOr('load scenario', file)), flags);
  checkEmbeddedLimits(scenario);
  const shard = flags.shard === undefined ? undefined : flag('--shard', parseShard)(flags.shard);
  const startAtEpochMs = flags.startAt === undefined ? undefined : flag('--start-at', parseTime)(flags.startAt);
  if (shard && shard.count > 1 && scenario.spec.target.url === undefined)
    notes.push('--shard: each shard starts a server of its own; with --url all of them load one');
  for (const note of notes) say(`${scenario.metadata.name}: ${note}`);
  if (!flags.validate) checkConsent(scenario, flags.yesLoad);
  const ready = { scenario, prepared: prepareLoad(scenario, shard), startAtEpochMs };
  if (!flags.findCapacity) checkBill(scenario, ready.prepared.wholeBill);
  checkClipsFit(ready);
  checkWordEnds(ready);
  return ready;
}

/**
 * Says on stderr how much sound goes to a server elsewhere, and which objectives the test is too
 * short, or has too few sessions, to prove, before it runs.
 */
export function warnOfProof({ scenario, prepared }: ReadyLoad, { assumeIndependent }: LoadtestFlags): void {
  if (scenario.spec.target.url !== undefined) say(`${scenario.metadata.name}: ${billSentence(prepared.bill)}`);
  for (const one of unprovable(scenario, prepared)) say(`${scenario.metadata.name}: ${unprovableText(one)}`);
  if (assumeIndependent) return;
  for (const one of tooFewSessions(scenario, prepared)) say(`${scenario.metadata.name}: ${tooFewSessionsText(one)}`);
}

/** What others get to hear, and take for it. */
function billSentence({ audioMinutes, dollars: cost }: Bill): string {
  return `sends ${audioMinutes.toFixed(1)} minutes of audio${cost === undefined ? '' : `, for ${dollars(cost)}`}`;
}

/** `2/4`: the second of four. */
function parseShard(text: string): ShardOf {
  const [, index = 0, count = 0] = (/^(\d{1,5})\/(\d{1,5})$/.exec(text) ?? []).map(Number);
  if (index >= 1 && index <= count) return { index, count };
  const message = `"${text}" is not a shard; write the second of four as 2/4`;
  throw new SpeechfbError('bad_flag', message, { hint: 'shards count from 1; a Kubernetes completion index, from 0' });
}

/** RFC 3339, as ms since 1970. */
function parseTime(text: string): number {
  const ms = rfc3339.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(ms))
    throw new SpeechfbError('bad_flag', `"${text}" is not a time; write it as 2026-11-26T09:30:00Z (RFC 3339)`);
  const inMs = ms - Date.now();
  if (inMs > longestWaitMs)
    throw new SpeechfbError('bad_flag', `${text} is too far away; allowed: within the next 24 hours`);
  if (inMs > 0) return ms;
  throw new SpeechfbError('bad_flag', `${text} is in the past; it is ${new Date().toISOString()} now`);
}

const rfc3339 = /^\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:\d{2})$/;

const longestWaitMs = 24 * 3_600_000;
