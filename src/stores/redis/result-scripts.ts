import { clock, inTime } from './script-clock.ts';

/**
 * The steps of the store of results. KEYS: the results of a session, what is left when they are
 * gone, and the session itself; all are tagged by its id, so that a cluster keeps them in one
 * place. `s:N` is how utterance N stands (`p` pending, `d` and its final, `f` and why not), `n:N`
 * how often it was tried, `r:N` which replay of it came last, `e:N` which event its final is.
 */

/** ARGV: latest, ttl, ttl of what is left, utterance, token hash, owner, data key, event. */
const expectResult = `${inTime}
if redis.call('HGET', KEYS[2], 'why') == 'erased' then return {now, 'erased'} end
local state = redis.call('HGET', KEYS[1], 's:' .. ARGV[4])
if state and string.sub(state, 1, 1) == 'd' then return {now, 'known'} end
redis.call('HSETNX', KEYS[1], 'key', ARGV[7])
redis.call('HSET', KEYS[1], 'token', ARGV[5], 'owner', ARGV[6], 's:' .. ARGV[4], 'p', 'n:' .. ARGV[4], 0)
redis.call('HSET', KEYS[1], 'e:' .. ARGV[4], ARGV[8])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
redis.call('HSET', KEYS[2], 'token', ARGV[5], 'owner', ARGV[6], 'why', 'expired')
redis.call('PEXPIRE', KEYS[2], ARGV[3])
return {now, 'expected', redis.call('HGET', KEYS[1], 'key')}
`;

/** ARGV: latest, utterance, replay. */
const beginTry = `${inTime}
local key = redis.call('HGET', KEYS[1], 'key')
if not key then return {now, 'gone'} end
local state = redis.call('HGET', KEYS[1], 's:' .. ARGV[2])
local isNew = ARGV[3] ~= '' and redis.call('HGET', KEYS[1], 'r:' .. ARGV[2]) ~= ARGV[3]
if isNew and not (state and string.sub(state, 1, 1) == 'd') then
  redis.call('HSET', KEYS[1], 's:' .. ARGV[2], 'p', 'n:' .. ARGV[2], 0, 'r:' .. ARGV[2], ARGV[3])
  state = 'p'
end
if state and state ~= 'p' then return {now, 'finished'} end
return {now, 'wanted', redis.call('HINCRBY', KEYS[1], 'n:' .. ARGV[2], 1), key}
`;

/** ARGV: latest, ttl, ttl of what is left, utterance, outcome. */
const finishResult = `${inTime}
if redis.call('EXISTS', KEYS[1]) == 0 then return {now, 'gone'} end
local state = redis.call('HGET', KEYS[1], 's:' .. ARGV[4])
if state and state ~= 'p' then return {now, 'already'} end
redis.call('HSET', KEYS[1], 's:' .. ARGV[4], ARGV[5])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
redis.call('PEXPIRE', KEYS[2], ARGV[3])
return {now, 'written'}
`;

/** ARGV: latest. */
const readResults = `${inTime}
local left = redis.call('HMGET', KEYS[2], 'token', 'owner', 'why')
local kept = redis.call('HGETALL', KEYS[1])
if #kept > 0 then return {now, 'found', left[1] or '', left[2] or '', kept} end
local session = redis.call('HMGET', KEYS[3], 'token', 'owner')
if left[3] then return {now, 'gone', left[1], left[2], left[3]} end
if session[1] then return {now, 'open', session[1], session[2]} end
return {now, 'unknown'}
`;

/** ARGV: ttl of what is left. */
const eraseResults = `${clock}
local session = redis.call('HMGET', KEYS[3], 'token', 'owner')
redis.call('DEL', KEYS[1], KEYS[3])
if session[1] then redis.call('HSETNX', KEYS[2], 'token', session[1]) end
if session[2] then redis.call('HSETNX', KEYS[2], 'owner', session[2]) end
redis.call('HSETNX', KEYS[2], 'token', '')
redis.call('HSETNX', KEYS[2], 'owner', '')
redis.call('HSET', KEYS[2], 'why', 'erased')
redis.call('PEXPIRE', KEYS[2], ARGV[1])
return {now, 'erased'}
`;

export const resultScripts = { expectResult, beginTry, finishResult, readResults, eraseResults } as const;
