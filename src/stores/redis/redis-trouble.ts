import type { StoreTrouble } from '../session-store.ts';

/** What is wrong with a Redis. */
export type RedisTrouble = {
  why: StoreTrouble;
  /** In our own words, which hold no secret; undefined: it just does not answer. */
  reason: string | undefined;
  /** Whether it is so for every call, and not for this one alone. */
  isOfAll: boolean;
  /** Whether another connection may lead to a Redis that does it. */
  isElsewhere?: boolean;
};

/**
 * What a failure of ioredis means. Its own words, and those of Redis, may hold what is nobody's
 * business: a user's name, a key, a value.
 */
export function troubleOf(error: unknown): RedisTrouble {
  const { message, code, name } = partsOf(error);
  const text = `${code} ${message}`;
  if (message === 'Command timed out') return { why: 'timeout', reason: undefined, isOfAll: true };
  if (/Too many Cluster redirections|\bTRYAGAIN\b/.test(text)) {
    return { why: 'refused', reason: 'its slots are on their way to other nodes', isOfAll: false };
  }
  const refusal = refusals.find(([pattern]) => pattern.test(text));
  if (refusal) return { why: 'refused', reason: refusal[1], isOfAll: true, isElsewhere: elsewhere.has(refusal[1]) };
  const absence = absences.find(([pattern]) => pattern.test(text));
  if (absence) return { why: 'unreachable', reason: absence[1], isOfAll: true };
  if (name === 'ReplyError') return { why: 'refused', reason: ofOneKey(message), isOfAll: false };
  return { why: 'unreachable', reason: undefined, isOfAll: true };
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
  [/\b(LOADING|MASTERDOWN)\b/, 'it has not got its data yet'],
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
  [/wrong version number|packet length too long|before secure TLS/i, 'it does not speak TLS: write redis://'],
  [/CERT|SELF_SIGNED|UNABLE_TO_(VERIFY|GET_ISSUER)/, 'its certificate is not one to trust here: NODE_EXTRA_CA_CERTS'],
  [/certificate required|handshake failure|alert/i, 'it wants another kind of TLS'],
  [/ENOTFOUND|EAI_AGAIN/, 'nobody knows its name'],
  [/ECONNREFUSED/, 'nothing listens there'],
  [/ETIMEDOUT|EHOSTUNREACH|ENETUNREACH/, 'no way leads there'],
];
