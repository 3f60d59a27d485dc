/** The Lua scripts that tell whether Redis still has what was given to it. */
import { evenWhenFull, TELL } from "./lua.ts";

/**
 * KEYS stream job…. For each job 1 when its entry is in the stream for certain, else 0. Entries are made in order, and
 * one that is older than the oldest is not there any more; so no entry is looked for, which would copy its body.
 * Hashes of older programs do not name their entry.
 */
export const WAITING = evenWhenFull(`
local first = redis.call('XRANGE', KEYS[1], '-', '+', 'COUNT', 1)[1]
local function parts(id)
  local ms, seq = string.match(id, '^(%d+)-(%d+)$')
  return tonumber(ms), tonumber(seq)
end
local oldest_ms, oldest_seq
if first then oldest_ms, oldest_seq = parts(first[1]) end
local waiting = {}
for i = 2, #KEYS do
  local job = redis.call('HMGET', KEYS[i], 'status', 'entry')
  local isOpen = job[1] == 'queued' or job[1] == 'processing'
  local isThere = 0
  if first and isOpen then
    isThere = 1
    if job[2] then
      local ms, seq = parts(job[2])
      if ms < oldest_ms or (ms == oldest_ms and seq < oldest_seq) then isThere = 0 end
    end
  end
  waiting[#waiting + 1] = isThere
end
return waiting`);

/** KEYS stream (or dead letters); ARGV from count. Id and metadata ('' without any) of each, oldest first, no bodies. */
export const METAS = evenWhenFull(`
local metas = {}
for _, entry in ipairs(redis.call('XRANGE', KEYS[1], ARGV[1], '+', 'COUNT', ARGV[2])) do
  local meta = ''
  for i = 1, #entry[2], 2 do
    if entry[2][i] == 'm' then meta = entry[2][i + 1] break end
  end
  metas[#metas + 1] = {entry[1], meta}
end
return metas`);

/** KEYS job…; ARGV ttl_s width, then for each job `width` names and values. Ends the hashes that there are. */
export const END_HASHES = evenWhenFull(`${TELL}
local width = tonumber(ARGV[2])
for j = 1, #KEYS do
  local at = 3 + (j - 1) * width
  if redis.call('EXISTS', KEYS[j]) == 1 then
    redis.call('HSET', KEYS[j], unpack(ARGV, at, at + width - 1))
    redis.call('EXPIRE', KEYS[j], ARGV[1])
  end
end
tell(KEYS)
return 1`);

/**
 * KEYS lineage; ARGV candidate. The name of this set of data, made when there is none, and of the life of its server:
 * one of the two is another after anything that can lose writes (emptied, restarted, another server in its place).
 */
export const LINEAGE = evenWhenFull(`
redis.call('SET', KEYS[1], ARGV[1], 'NX')
local info = redis.pcall('INFO', 'server')
local life = type(info) == 'string' and string.match(info, 'run_id:(%w+)') or ''
return redis.call('GET', KEYS[1]) .. ' ' .. life`);
