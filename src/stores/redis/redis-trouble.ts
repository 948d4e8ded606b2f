import type { StoreTrouble } from '../session-store.ts';
import type { Seen } from './redis-look.ts';

/** What is wrong with a Redis. */
export type RedisTrouble = {
  why: StoreTrouble;
  /** In our own words, which hold no secret; undefined: it just does not answer. */
  reason: string | undefined;
  /** Whether it is so for every call, and not for this one alone. */
  isOfAll: boolean;
  /** Whether another connection may lead to a Redis that does it. */
  isElsewhere?: boolean;
  /** Whether a look at the place itself may say more. */
  isVague?: boolean;
  /** Whether it was found out by such a look. */
  isSeen?: boolean;
};

/**
 * What a failure of ioredis means. Its own words, and those of Redis, may hold what is nobody's
 * business: a user's name, a key, a value.
 */
export function troubleOf(error: unknown): RedisTrouble {
  const { message, code, name } = partsOf(error);
  const text = `${code} ${message}`;
  if (message === 'Command timed out') return { why: 'timeout', reason: undefined, isOfAll: true, isVague: true };
  if (/Too many Cluster redirections|\bTRYAGAIN\b/.test(text)) {
    return { why: 'refused', reason: 'its slots are on their way to other nodes', isOfAll: false };
  }
  const refusal = refusals.find(([pattern]) => pattern.test(text));
  if (refusal) return { why: 'refused', reason: refusal[1], isOfAll: true, isElsewhere: elsewhere.has(refusal[1]) };
  const absence = absences.find(([pattern]) => pattern.test(text));
  if (absence) return { why: 'unreachable', reason: absence[1], isOfAll: true, isVague: vague.has(absence[1]) };
  if (name === 'ReplyError') return { why: 'refused', reason: ofOneKey(message), isOfAll: false };
  return unknownTrouble;
}

/** A connection ended, or did not come to be, and nobody said why. */
export const unknownTrouble: RedisTrouble = { why: 'unreachable', reason: undefined, isOfAll: true, isVague: true };

/** It takes connections, and still reads its data from its disk or from its master. */
export function loadingTrouble(): RedisTrouble {
  return { why: 'refused', reason: notYet, isOfAll: true };
}

/**
 * What is wrong with a place where a connection came to nothing, by what a look at it has shown.
 *
 * @param wanted whether it was spoken to by TLS, and whether it is that of a sentinel
 */
export function troubleSeen(
  before: RedisTrouble,
  seen: Seen,
  wanted: { isSecure: boolean; isSentinel: boolean },
): RedisTrouble {
  const because = (reason: string): RedisTrouble => ({ ...before, reason, isVague: false, isSeen: true });
  const { isSecure, isSentinel } = wanted;
  switch (seen.speaks) {
    case 'redis':
    case 'redis by TLS': {
      const isByTls = seen.speaks === 'redis by TLS';
      if (isByTls !== isSecure)
        return because(isSentinel ? tlsOfSentinels(isByTls) : isByTls ? speaksTls : speaksPlain);
      const said = troubleOf(new Error(seen.said));
      // A PING without a password says nothing of ours.
      return said.why === 'refused' && !/NOAUTH|NOPERM/.test(seen.said) ? said : before;
    }
    case 'TLS':
      return isSecure ? before : because(isSentinel ? tlsOfSentinels(true) : speaksTls);
    case 'something else':
      return because('what answers there is no Redis');
    case 'nothing':
      return before.why === 'timeout' ? before : because('what takes connections there says nothing');
    case 'goodbye':
      return because('what takes connections there ends them');
    case 'unreachable':
      return before;
  }
}

function tlsOfSentinels(isByTls: boolean): string {
  return isByTls ? 'its sentinels speak TLS: sentinel_tls=yes' : 'its sentinels do not speak TLS: sentinel_tls=no';
}

/** One call was refused, as where something else stands under its key. */
function ofOneKey(message: string): string {
  return /WRONGTYPE|user_script|script/i.test(message)
    ? 'another version of this program, or another program, has written under its keys'
    : 'Redis calls it an error';
}

function partsOf(error: unknown): { message: string; code: string; name: string } {
  if (!(error instanceof Error)) return { message: '', code: '', name: '' };
  const { message, name, code } = error as Error & { code?: unknown };
  // Of a cluster where no node answers the last one that was asked says why.
  const last = (error as { lastNodeError?: unknown }).lastNodeError;
  if (last instanceof Error) return partsOf(last);
  return { message, name, code: typeof code === 'string' ? code : '' };
}

const notYet = 'it has not got its data yet';
const speaksPlain = 'it does not speak TLS: write redis://';
const speaksTls = 'it speaks TLS: write rediss://';
const noWay = 'no way leads there';
/** What may also be somebody who waits for another greeting than ours. */
const vague: ReadonlySet<string> = new Set([noWay, speaksPlain]);
const replica = 'it is a replica, which takes no writes';
const otherDatabase = 'it has no database of this number';
const elsewhere: ReadonlySet<string> = new Set([replica, otherDatabase]);

/** Redis answers, and does not want to. Redis 6 says why in the midst of what a script said. */
const refusals: readonly (readonly [RegExp, string])[] = [
  [
    /unknown (sub)?command/i,
    'it lacks a command: Redis 6 or newer is needed, and a sentinel is written redis+sentinel://host:port/NAME',
  ],
  [/WRONGPASS|invalid (username-password pair|password)/i, 'user or password are wrong'],
  [/NOAUTH|without any password configured|HELLO must be called with/i, 'a password is needed'],
  [/NOPERM|ACL failure|has no permissions/i, 'the user may not do what is needed'],
  [/(^|[ -])OOM\b/, 'the memory is full: maxmemory is reached'],
  [/(^|[ -])READONLY\b/, replica],
  [/\bMISCONF\b/, 'it cannot save to its disk, and takes no writes'],
  [/\bNOREPLICAS\b/, 'it has too few replicas: min-replicas-to-write'],
  [/\b(LOADING|MASTERDOWN)\b/, notYet],
  [/(^|[ -])BUSY\b/, 'a script has been running there for long'],
  [/\bCLUSTERDOWN\b/, 'slots of the cluster have no master'],
  [/\bMOVED \d/, 'it is a node of a cluster: write redis+cluster://'],
  [/cluster support disabled/i, 'it is no cluster: write redis://'],
  [/DB index is out of range|invalid DB index|SELECT is not allowed/i, otherDatabase],
  [/max number of clients/i, 'it has as many clients as it takes: maxclients'],
  [/\bDENIED\b/, 'it is in protected mode: it wants a password, or to be bound to an address'],
  [/invalid reply: null|No such master/i, 'the sentinels know no master of this name'],
];

/** Nothing that could answer is reached. */
const absences: readonly (readonly [RegExp, string])[] = [
  [/wrong version number|packet length too long|before secure TLS/i, speaksPlain],
  [/CERT|SELF_SIGNED|UNABLE_TO_(VERIFY|GET_ISSUER)/, 'its certificate is not one to trust here: NODE_EXTRA_CA_CERTS'],
  [/certificate required|handshake failure|alert/i, 'it wants another kind of TLS'],
  [/ENOTFOUND|EAI_AGAIN/, 'nobody knows its name'],
  [/ECONNREFUSED/, 'nothing listens there'],
  [/ETIMEDOUT|EHOSTUNREACH|ENETUNREACH/, noWay],
];
