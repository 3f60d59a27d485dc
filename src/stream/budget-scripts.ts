/** The Lua scripts of budgets: fixed windows that count cost. */
import { evenWhenFull } from "./lua.ts";

/**
 * KEYS counter; ARGV cost want limit window_ms. A fixed window that counts cost instead of requests. Grants `want`, or
 * what is left of the limit if that is at least `cost`, or nothing, and then counts nothing. Returns {granted, used,
 * ms to the end of the window}.
 */
export const ALLOW = `
local used = tonumber(redis.call('GET', KEYS[1]) or '0')
local left = redis.call('PTTL', KEYS[1])
if left <= 0 then used = 0; left = tonumber(ARGV[4]) end
local granted = math.min(tonumber(ARGV[2]), tonumber(ARGV[3]) - used)
if granted < tonumber(ARGV[1]) then return {0, used, left} end
used = used + granted
redis.call('SET', KEYS[1], string.format('%.0f', used), 'PX', left)
return {granted, used, left}`;

/** Longer than a command of a request takes, ms, and much shorter than a window. */
const GIVE_BACK_MARGIN_MS = 10_000;
/**
 * KEYS counter; ARGV cost left_ms. Takes `cost` out of the count again, unless the window has ended since: a new one has
 * more time left than the sender knew of, even when the command was long on its way.
 */
export const GIVE_BACK = evenWhenFull(`
local left = redis.call('PTTL', KEYS[1])
if left <= 0 or left > tonumber(ARGV[2]) + ${GIVE_BACK_MARGIN_MS} then return 0 end
local used = math.max(0, tonumber(redis.call('GET', KEYS[1])) - tonumber(ARGV[1]))
redis.call('SET', KEYS[1], string.format('%.0f', used), 'PX', left)
return 1`);
