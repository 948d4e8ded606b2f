import { capScripts } from './cap-scripts.ts';
import { resultScripts } from './result-scripts.ts';
import { clock, inTime } from './script-clock.ts';

/*
 * Each step of the store as one script. Redis' own clock says what the time is: `ageMs` of what was
 * saved, and whether a step came too late. A step that had to wait, as behind a Redis that stood
 * still, does nothing then: whoever asked has long been told that nobody answered.
 *
 * Every script answers `{time in ms, outcome, ...}`. A session is a hash under a key of its own,
 * tagged by its id, so that a cluster keeps it in one place.
 */

/** No gateway says for longer that it is there, ms. */
const longestMs = 120_000;

/** ARGV: latest, ttl, generation, ordinal, token hash, owner, model, gateway, value. */
const save = `${inTime}
local before = redis.call('HMGET', KEYS[1], 'generation', 'ordinal', 'gateway')
local generation, ordinal = tonumber(ARGV[3]), tonumber(ARGV[4])
if before[1] then
  local known = tonumber(before[1])
  if known > generation or (known == generation and before[3] ~= ARGV[8]) then return {now, 'fenced'} end
  if known == generation and tonumber(before[2]) >= ordinal then return {now, 'stale'} end
end
redis.call('HSET', KEYS[1], 'generation', ARGV[3], 'ordinal', ARGV[4], 'token', ARGV[5], 'owner', ARGV[6],
  'model', ARGV[7], 'gateway', ARGV[8], 'value', ARGV[9], 'saved', string.format('%.0f', now))
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return {now, 'saved', before[1] and 1 or 0}
`;

/** ARGV: latest, ttl, token hash or '', owner, model, gateway, new token hash or ''. */
const claim = `${inTime}
local before = redis.call('HMGET', KEYS[1], 'generation', 'token', 'owner', 'model', 'gateway', 'value', 'saved')
if not before[1] then return {now, 'unknown'} end
if ARGV[3] ~= '' and before[2] ~= ARGV[3] then return {now, 'wrong_token'} end
if before[3] ~= ARGV[4] then return {now, 'forbidden'} end
if before[4] ~= ARGV[5] then return {now, 'other_model', before[4]} end
local generation = tonumber(before[1]) + 1
redis.call('HSET', KEYS[1], 'generation', string.format('%.0f', generation), 'ordinal', 0,
  'gateway', ARGV[6])
if ARGV[7] ~= '' then redis.call('HSET', KEYS[1], 'token', ARGV[7]) end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return {now, 'claimed', generation, before[6], math.max(0, now - tonumber(before[7])), before[5]}
`;

/** ARGV: generation. */
const end = `${clock}
local generation = redis.call('HGET', KEYS[1], 'generation')
if generation and tonumber(generation) <= tonumber(ARGV[1]) then redis.call('DEL', KEYS[1]) end
return {now, 'done'}
`;

/** ARGV: latest, ttl, session, hash of the start. */
const begin = `${inTime}
local before = redis.call('HMGET', KEYS[1], 'session', 'start')
if before[1] then return {now, 'begun', before[1], before[2]} end
redis.call('HSET', KEYS[1], 'session', ARGV[3], 'start', ARGV[4])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return {now, 'begun', ARGV[3], ARGV[4]}
`;

/**
 * ARGV: ttl (0: it goes), id, what it is. KEYS: until when each is there, what it is, and since
 * when this store remembers: whoever hears another such time than before knows that all is gone.
 *
 * A gateway that is there for longer than anybody says was announced before the clock was put back.
 */
const announce = `${clock}
local ttl = tonumber(ARGV[1])
local function forget(from, to)
  for _, gone in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], from, to)) do
    redis.call('ZREM', KEYS[1], gone)
    redis.call('HDEL', KEYS[2], gone)
  end
end
forget('-inf', now)
if ttl > 0 then
  forget(now + ${longestMs}, '+inf')
  local since = redis.call('GET', KEYS[3]) or string.format('%s %.0f', ARGV[2], now)
  redis.call('SET', KEYS[3], since, 'PX', ttl * 10)
  redis.call('ZADD', KEYS[1], now + ttl, ARGV[2])
  redis.call('HSET', KEYS[2], ARGV[2], ARGV[3])
  redis.call('PEXPIRE', KEYS[1], ttl * 10)
  redis.call('PEXPIRE', KEYS[2], ttl * 10)
else
  redis.call('ZREM', KEYS[1], ARGV[2])
  redis.call('HDEL', KEYS[2], ARGV[2])
end
return {now, 'gateways', redis.call('HGETALL', KEYS[2]), redis.call('GET', KEYS[3]) or ''}
`;

/**
 * ARGV: ttl, id. Since when what has this key remembers, as `announce` says it of what has its own:
 * another master of a cluster.
 */
const remember = `${clock}
local since = redis.call('GET', KEYS[1]) or string.format('%s %.0f', ARGV[2], now)
redis.call('SET', KEYS[1], since, 'PX', ARGV[1] * 10)
return {now, 'since', since}
`;

/** ARGV: ttl. Whether Redis runs scripts that write. */
const probe = `${clock}
redis.call('SET', KEYS[1], '1', 'PX', ARGV[1])
return {now, 'there'}
`;

export const scripts = { save, claim, end, begin, announce, remember, probe, ...capScripts, ...resultScripts } as const;
export type ScriptName = keyof typeof scripts;

/** A key that is where `key` is, to find out whether that can be written. */
export function probeBeside(key: string): string {
  return key.replace(/\}.*$/s, '}:probe');
}

/**
 * What each script is given and in which keys: those of a region carry its name, so that a user of
 * Redis may be bound to one region (`~speechfb:eu:*`).
 */
export function keysOf(region: string | undefined) {
  const prefix = region === undefined ? 'speechfb:' : `speechfb:${region}:`;
  const party = (tenant: string, user: string | undefined, what: string) =>
    `${prefix}{tenant:${tenant}}:${user === undefined ? '' : `user:${user}:`}${what}`;
  return {
    session: (id: string) => `${prefix}{${id}}:session`,
    begun: (key: string) => `${prefix}{${key}}:begun`,
    results: (id: string) => [`${prefix}{${id}}:results`, `${prefix}{${id}}:gone`, `${prefix}{${id}}:session`],
    gateways: [`${prefix}{gateways}:until`, `${prefix}{gateways}:what`, `${prefix}{gateways}:since`],
    /** Keys that lie all over a cluster. */
    since: (index: number) => `${prefix}{since:${index}}`,
    probe: `${prefix}{probe}`,
    /** @param user a digest */
    sessions: (tenant: string, user: string | undefined) => party(tenant, user, 'sessions'),
    starts: (tenant: string, user: string | undefined) => party(tenant, user, 'starts'),
    sound: (tenant: string, user: string | undefined) => party(tenant, user, 'sound'),
  };
}
