import { type Limits, wireName } from './limits.ts';

/** Two limits that cannot both hold. */
export type LimitConflict = {
  limits: readonly [keyof Limits, keyof Limits];
  /** A sentence that names both and their values. */
  message: string;
  /** `name=value` of both as they would agree; absent where there are several ways. */
  both?: readonly string[];
};

/**
 * What is contradictory among these limits.
 *
 * @param given those that somebody has set, which are held to what would cap them silently, too
 */
export function conflictsOf(limits: Limits, given: readonly string[]): LimitConflict[] {
  const isBroken = ([less, more]: Ascending): boolean => limits[less] > limits[more];
  const promised = promises.filter((pair) => given.includes(pair[0]) && isBroken(pair));
  const conflicts = [
    ...ascending.filter(isBroken).map((pair) => conflictOf(limits, pair, limits[pair[1]])),
    ...promised.map((pair) => conflictOf(limits, pair, limits[pair[0]])),
  ];
  const pongsPerSecond = 1000 / limits.heartbeatMs;
  if (pongsPerSecond <= limits.pingsPerSecond) return conflicts;
  const asked = `heartbeat_ms (${limits.heartbeatMs}) asks every client for ${round(pongsPerSecond)} pongs a second`;
  const message = `${asked}, more than pings_per_second (${limits.pingsPerSecond}) allows`;
  return [...conflicts, { limits: ['heartbeatMs', 'pingsPerSecond'], message }];
}

/** The first is at most the second; else the third is so. */
type Ascending = readonly [less: keyof Limits, more: keyof Limits, otherwise: string];

/** @param agreed what both could be */
function conflictOf(limits: Limits, [less, more, otherwise]: Ascending, agreed: number): LimitConflict {
  const [first, second] = [less, more].map((limit) => `${wireName(limit)} (${limits[limit]})`);
  const both = [less, more].map((limit) => `${wireName(limit)}=${agreed}`);
  return { limits: [less, more], message: `${first} is more than ${second}: ${otherwise}`, both };
}

const ascending: readonly Ascending[] = [
  ['minGapWaitMs', 'maxGapWaitMs', 'the jitter buffer would wait longer at least than at most'],
  ['congestedBytes', 'maxUnsentBytes', 'a reader would be cut off before anything is merged for it'],
  ['maxFrameBytes', 'maxHeldBytes', 'a frame that is allowed could not wait for one that is missing'],
  ['maxTextPhones', 'maxOpenPhones', 'a text that is allowed could never be opened'],
  ['fixedSessions', 'maxSessions', 'no more than the second are ever let in'],
  ['decideEveryMs', 'overloadIntervalMs', 'what stands between two decisions would not be seen'],
  ['recoveredBelow', 'largerGroupsAt', 'a step would be taken back while it is due'],
  ['largerGroupsAt', 'halfRateAt', 'a worse step would come before a milder one'],
  ['halfRateAt', 'finalsOnlyAt', 'a worse step would come before a milder one'],
  ['finalsOnlyAt', 'wordsOnlyAt', 'a worse step would come before a milder one'],
  ['wordsOnlyAt', 'sheddingAt', 'sessions would be sent away before the others are spared that'],
  ['stepDownMs', 'mostStepDownMs', 'a step would last longer at first than at most'],
  ['knownUtilisation', 'maxUtilisation', 'a thread that is full would not say how many fit'],
  ['silentGatewayMs', 'hungGatewayMs', 'a gateway would be ended while it is still handed connections'],
];

/** Likewise where the first was set: by itself it may be as it is, and is capped. */
const promises: readonly Ascending[] = [
  ['maxSessions', 'maxConnections', 'no more sessions are heard than there are connections'],
  ['initialSessions', 'maxSessions', 'no more than the second are ever let in'],
  ['leastSessions', 'maxSessions', 'no more than the second are ever let in'],
];

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
