/** The scripts by which consumers take entries from each other: from those that fell silent, and from those that ended. */
import { evenWhenFull } from "./lua.ts";

/** Name and number of pending entries of each consumer of the group, as `each(name, pending)`; or the error that there is no group. */
const CONSUMERS = `
local function consumers(each)
  local info = redis.pcall('XINFO', 'CONSUMERS', KEYS[1], ARGV[1])
  if info.err then return info end
  for _, row in ipairs(info) do
    local of = {}
    for i = 1, #row, 2 do of[row[i]] = row[i + 1] end
    each(of.name, of.pending)
  end
end`;

/**
 * KEYS stream; ARGV group consumer idle_ms count newest waiting. Takes over entries whose consumer has been silent for
 * so long, and at once those that wait for a program that knows their version (`waiting` and the version name their
 * consumer). One script, so that two who look at the same moment do not take from each other. Returns {owner, entries}
 * for each former owner.
 */
export const TAKE_OVER = evenWhenFull(`${CONSUMERS}
if redis.call('EXISTS', KEYS[1]) == 0 then return {} end
local taken = {}
local left = tonumber(ARGV[4])
local function take(name, pending)
  if pending == 0 or left <= 0 then return end
  local idle = ARGV[3]
  if string.sub(name, 1, #ARGV[6]) == ARGV[6] then
    if (tonumber(string.sub(name, #ARGV[6] + 1)) or math.huge) > tonumber(ARGV[5]) then return end
    idle = '0'
  end
  local rows = redis.call('XPENDING', KEYS[1], ARGV[1], 'IDLE', idle, '-', '+', left, name)
  if #rows == 0 then return end
  local ids = {}
  for i, row in ipairs(rows) do ids[i] = row[1] end
  left = left - #ids
  taken[#taken + 1] = {name, redis.call('XCLAIM', KEYS[1], ARGV[1], ARGV[2], '0', unpack(ids))}
end
return consumers(take) or taken`);

/**
 * KEYS stream; ARGV group prefix idle_ms. The consumers whose names begin so have ended: what they still hold looks as
 * if it had been untouched for so long, and whoever holds nothing is forgotten. Returns the number of entries.
 */
export const HAND_OVER = evenWhenFull(`${CONSUMERS}
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
local handed = 0
local function hand(name, pending)
  if string.sub(name, 1, #ARGV[2]) ~= ARGV[2] then return end
  if pending == 0 then redis.call('XGROUP', 'DELCONSUMER', KEYS[1], ARGV[1], name) return end
  local after = '-'
  while true do
    local rows = redis.call('XPENDING', KEYS[1], ARGV[1], after, '+', 1000, name)
    if #rows == 0 then return end
    local claim = {'XCLAIM', KEYS[1], ARGV[1], name, '0'}
    for _, row in ipairs(rows) do claim[#claim + 1] = row[1] end
    after = '(' .. claim[#claim]
    for _, word in ipairs({'IDLE', ARGV[3], 'JUSTID'}) do claim[#claim + 1] = word end
    redis.call(unpack(claim))
    handed = handed + #rows
  end
end
local missing = consumers(hand)
if missing then return 0 end
return handed`);
