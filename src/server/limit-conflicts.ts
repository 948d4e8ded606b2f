import { type Limits, wireName } from './limits.ts';

/** Two limits that cannot both hold. */
export type LimitConflict = {
  /** A sentence that names both and their values. */
  message: string;
  /** `name=value` of both as they would agree; absent where there are several ways. */
  both?: readonly string[];
};

/** What is contradictory among these limits, the first of it; undefined: nothing is. */
export function conflictOf(limits: Limits): LimitConflict | undefined {
  for (const [less, more, why] of ascending) {
    if (limits[less] <= limits[more]) continue;
    const [first, second] = [less, more].map((limit) => `${wireName(limit)} (${limits[limit]})`);
    const both = [less, more].map((limit) => `${wireName(limit)}=${limits[more]}`);
    return { message: `${first} is more than ${second}: ${why}`, both };
  }
  const pongsPerSecond = 1000 / limits.heartbeatMs;
  if (pongsPerSecond <= limits.pingsPerSecond) return undefined;
  const asked = `heartbeat_ms (${limits.heartbeatMs}) asks every client for ${round(pongsPerSecond)} pongs a second`;
  return { message: `${asked}, more than pings_per_second (${limits.pingsPerSecond}) allows` };
}

/** The first of each is at most the second; else the third is so. */
const ascending: readonly (readonly [keyof Limits, keyof Limits, string])[] = [
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

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
