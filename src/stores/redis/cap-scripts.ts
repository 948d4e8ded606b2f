import { inTime } from './script-clock.ts';

/*
 * What tenants have, each step as one script. All keys of a step are tagged by one tenant, so that
 * a cluster keeps them in one place.
 */

/**
 * How many sessions all gateways have: each says in a field of its own how many and until when that
 * holds, so that a gateway which is gone frees its places by saying nothing. What holds for longer
 * than anybody says was said before the clock was put back. ARGV[2]: for how long is said.
 */
const sessionsOf = `
local function sessionsOf(key)
  local fields = redis.call('HGETALL', key)
  local sum = 0
  for at = 1, #fields, 2 do
    local count, ends = string.match(fields[at + 1], '^(%d+) (%d+)$')
    if tonumber(ends) <= now or tonumber(ends) > now + 10 * ARGV[2] then redis.call('HDEL', key, fields[at]) else sum = sum + tonumber(count) end
  end
  return sum
end
`;

/** Sound that all gateways have heard today, ms; the day begins at midnight UTC. */
const soundOf = `
local today = math.floor(now / 86400000)
local left = 86400000 - now % 86400000
local function soundOf(key)
  local fields = redis.call('HGETALL', key)
  local sum, day = 0, nil
  for at = 1, #fields, 2 do
    if fields[at] == 'day' then day = tonumber(fields[at + 1]) else sum = sum + tonumber(fields[at + 1]) end
  end
  return day == today and sum or 0
end
`;

/**
 * ARGV: latest, ttl, holder, then of each party the most sessions, the most starts, within how many
 * ms, the most sound; -1: any. KEYS: of each party its sessions, starts and sound.
 *
 * A refusal says of which party, and how many there are or in how many ms to come back. A place is
 * looked for before anything is charged.
 */
const start = `${inTime}${sessionsOf}${soundOf}
local parties = #KEYS / 3
local function cap(party, at) return tonumber(ARGV[4 + (party - 1) * 4 + at]) end
for party = 1, parties do
  local most = cap(party, 0)
  if most >= 0 then
    local count = sessionsOf(KEYS[party * 3 - 2])
    if count >= most then return {now, 'sessions', party - 1, count} end
  end
end
for party = 1, parties do
  local most = cap(party, 3)
  if most >= 0 and soundOf(KEYS[party * 3]) >= most then return {now, 'sound', party - 1, left} end
  most = cap(party, 1)
  if most >= 0 then
    local starts = KEYS[party * 3 - 1]
    local count = redis.call('INCR', starts)
    if redis.call('PTTL', starts) < 0 then redis.call('PEXPIRE', starts, cap(party, 2)) end
    if count > most then return {now, 'starts', party - 1, redis.call('PTTL', starts)} end
  end
end
for party = 1, parties do
  if cap(party, 0) >= 0 then
    local sessions = KEYS[party * 3 - 2]
    local count = string.match(redis.call('HGET', sessions, ARGV[3]) or '0', '^%d+')
    redis.call('HSET', sessions, ARGV[3], string.format('%d %.0f', tonumber(count) + 1, now + ARGV[2]))
    redis.call('PEXPIRE', sessions, ARGV[2])
  end
end
return {now, 'granted'}
`;

/** ARGV: latest, ttl, holder, then how many sessions it has of each. KEYS: their sessions. */
const hold = `${inTime}
for at, key in ipairs(KEYS) do
  if ARGV[3 + at] == '0' then
    redis.call('HDEL', key, ARGV[3])
  else
    redis.call('HSET', key, ARGV[3], string.format('%s %.0f', ARGV[3 + at], now + ARGV[2]))
    redis.call('PEXPIRE', key, ARGV[2])
  end
end
return {now, 'held'}
`;

/**
 * ARGV: latest, then of each the field of who heard it, the day that this was, 0: today, and the ms
 * of that day. KEYS: their sound. Of another day than today nothing is kept.
 */
const hear = `${inTime}${soundOf}
local sums = {}
for at, key in ipairs(KEYS) do
  local field, day, ms = ARGV[at * 3 - 1], tonumber(ARGV[at * 3]), ARGV[at * 3 + 1]
  if tonumber(redis.call('HGET', key, 'day')) ~= today then redis.call('DEL', key) end
  if day == 0 or day == today then
    redis.call('HSET', key, 'day', string.format('%.0f', today), field, ms)
    redis.call('PEXPIRE', key, left)
  end
  sums[at] = soundOf(key)
end
return {now, 'heard', today, left, sums}
`;

export const capScripts = { start, hold, hear } as const;
