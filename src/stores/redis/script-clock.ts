/** What scripts begin with: Redis' own clock, as `now` in ms. */
export const clock = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
`;

/**
 * The same for a step that is not to be done too late: ARGV[1] is the latest time for it, 0 for
 * any.
 */
export const inTime = `${clock}
local latest = tonumber(ARGV[1])
if latest > 0 and now > latest then return {now, 'late'} end
`;
