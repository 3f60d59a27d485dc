/**
 * The Lua scripts that change more than one key. A script is atomic as MULTI is, and can also decide: whether the
 * backlog is full, whether the entry was written before (a command that ioredis sent twice after a reconnect).
 * Memory is checked by Redis before a script's first write, so none is left half done at `maxmemory`. The scripts
 * of the way out say allow-oom (Redis 7 and Valkey: "Eval scripts flags"): they write a few bytes and free whole
 * bodies, and a Redis that is full could never become empty without them.
 */
import type { Cluster, Redis, RedisCommander } from "ioredis";
import { ALLOW, GIVE_BACK } from "./budget-scripts.ts";
import { HAND_OVER, TAKE_OVER } from "./consumer-scripts.ts";
import { END_HASHES, LINEAGE, METAS, WAITING } from "./loss-scripts.ts";
import { evenWhenFull, TELL } from "./lua.ts";

/**
 * KEYS stream job mirror backlog [idempotency]; ARGV maxEntries maxBytes size meta v body idemValue idemTtl_s idemToken
 * jobFields… Of a claim that ran out, whoever claims the key next makes its job: 'overtaken' then, and nothing is written.
 */
const OFFER = `
if redis.call('EXISTS', KEYS[2]) == 1 then return 'accepted' end
if KEYS[5] then
  local held = redis.call('GET', KEYS[5])
  if held and held ~= ARGV[9] then return 'overtaken' end
end
local entries = redis.call('XLEN', KEYS[1])
if entries >= tonumber(ARGV[1]) then return 'entries' end
local bytes = tonumber(redis.call('GET', KEYS[4]) or '0')
if entries > 0 and bytes + tonumber(ARGV[3]) > tonumber(ARGV[2]) then return 'bytes' end
local entry = redis.call('XADD', KEYS[1], '*', 'v', ARGV[5], 'm', ARGV[4], 'b', ARGV[6])
local fields = {'entry', entry}
for i = 10, #ARGV do fields[#fields + 1] = ARGV[i] end
redis.call('HSET', KEYS[2], unpack(fields))
redis.call('XADD', KEYS[3], '*', 'm', ARGV[4])
if entries == 0 then redis.call('SET', KEYS[4], ARGV[3]) else redis.call('INCRBY', KEYS[4], ARGV[3]) end
if KEYS[5] then redis.call('SET', KEYS[5], ARGV[7], 'EX', ARGV[8]) end
return 'accepted'`;

/** KEYS job…; ARGV now_ms. A job that ended in the meantime stays ended. */
const BEGIN = evenWhenFull(`${TELL}
local begun = {}
for _, job in ipairs(KEYS) do
  if redis.call('HGET', job, 'status') == 'queued' then
    redis.call('HSET', job, 'status', 'processing', 'started_at_ms', ARGV[1])
    begun[#begun + 1] = job
  end
end
tell(begun)
return 1`);

/** KEYS job…. The state of each, nil where there is no hash: one command for many jobs. */
const STATES = evenWhenFull(`
local states = {}
for i, job in ipairs(KEYS) do states[i] = redis.call('HGET', job, 'status') end
return states`);

/** KEYS attempts; ARGV step (1 or -1) ttl_s. Returns attempts that have not ended. */
const ATTEMPT = evenWhenFull(`
local count = redis.call('INCRBY', KEYS[1], ARGV[1])
if count <= 0 then
  redis.call('DEL', KEYS[1])
  return 0
end
redis.call('EXPIRE', KEYS[1], ARGV[2])
return count`);

/**
 * Acknowledges and deletes an entry. The counter of bytes begins anew with an empty stream, so that a miscount (an
 * entry that somebody wrote by hand) cannot last.
 */
const RELEASE_ENTRY = `
local function release(stream, group, id, backlog, size)
  redis.call('XACK', stream, group, id)
  if redis.call('XDEL', stream, id) == 0 then return end
  if redis.call('XLEN', stream) == 0 then redis.call('SET', backlog, 0)
  else redis.call('DECRBY', backlog, size) end
end`;

/**
 * KEYS stream backlog job…; ARGV group ttl_s width, then for each job `width` values: entryId size jobFields… A hash
 * that was lost is not made anew from these few fields: readers then ask Postgres, which has the whole job.
 */
const SETTLE = evenWhenFull(`${RELEASE_ENTRY}${TELL}
local width = tonumber(ARGV[3])
local ended = {}
for j = 3, #KEYS do
  local at = 4 + (j - 3) * width
  release(KEYS[1], ARGV[1], ARGV[at], KEYS[2], ARGV[at + 1])
  if redis.call('EXISTS', KEYS[j]) == 1 then
    redis.call('HSET', KEYS[j], unpack(ARGV, at + 2, at + width - 1))
    redis.call('EXPIRE', KEYS[j], ARGV[2])
  end
  ended[#ended + 1] = KEYS[j]
end
tell(ended)
return 1`);

/**
 * KEYS stream dead backlog job; ARGV group entryId size reason now_ms ttl_s jobFields… Moves the entry with all its
 * fields and ends its job. Does nothing when the entry is gone: the command may have been sent twice.
 */
const BURY = evenWhenFull(`${RELEASE_ENTRY}${TELL}
local found = redis.call('XRANGE', KEYS[1], ARGV[2], ARGV[2])
if #found == 0 then
  redis.call('XACK', KEYS[1], ARGV[1], ARGV[2])
  return 0
end
redis.call('XADD', KEYS[2], '*', 'reason', ARGV[4], 'entry', ARGV[2], 'buried_at_ms', ARGV[5], unpack(found[1][2]))
release(KEYS[1], ARGV[1], ARGV[2], KEYS[3], ARGV[3])
if #ARGV > 6 and redis.call('EXISTS', KEYS[4]) == 1 then
  redis.call('HSET', KEYS[4], unpack(ARGV, 7))
  redis.call('EXPIRE', KEYS[4], ARGV[6])
  tell({KEYS[4]})
end
return 1`);

/**
 * KEYS dead stream job backlog; ARGV deadId size jobFields… Puts a dead letter back at the end of
 * the stream and its job back to queued.
 */
const REVIVE = `
local found = redis.call('XRANGE', KEYS[1], ARGV[1], ARGV[1])
if #found == 0 then return 0 end
local entry = found[1][2]
local again = {}
for i = 7, #entry do again[#again + 1] = entry[i] end
local fields = {'entry', redis.call('XADD', KEYS[2], '*', unpack(again))}
for i = 3, #ARGV do fields[#fields + 1] = ARGV[i] end
if #fields > 2 then
  redis.call('DEL', KEYS[3])
  redis.call('HSET', KEYS[3], unpack(fields))
end
redis.call('INCRBY', KEYS[4], ARGV[2])
redis.call('XDEL', KEYS[1], ARGV[1])
return 1`;

/**
 * KEYS dead; ARGV max min count. What dead letters say without their payloads, newest first: id, reason, buried_at_ms,
 * metadata ('' without any) and size of the body.
 */
const LETTERS = evenWhenFull(`
local heads = {}
for _, letter in ipairs(redis.call('XREVRANGE', KEYS[1], ARGV[1], ARGV[2], 'COUNT', ARGV[3])) do
  local fields = letter[2]
  local meta = ''
  for i = 7, #fields, 2 do
    if fields[i] == 'm' then meta = fields[i + 1] break end
  end
  heads[#heads + 1] = {letter[1], fields[2] or '', fields[6] or '', meta, #(fields[12] or '')}
end
return heads`);

/** KEYS stream; ARGV group. Makes the group, from the oldest entry on, also when producers have filled Redis before. */
const GROUP = evenWhenFull(`
return redis.pcall('XGROUP', 'CREATE', KEYS[1], ARGV[1], '0', 'MKSTREAM')`);

/** KEYS key; ARGV value. Deletes the key if it still holds the value: locks and claims of somebody else stay. */
const DROP = evenWhenFull(`
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])`);

/** KEYS stream; ARGV group consumer. DELCONSUMER forgets what is pending, so only an empty one may go. */
const RETIRE = `
local pending = redis.call('XPENDING', KEYS[1], ARGV[1], '-', '+', 1, ARGV[2])
if #pending == 0 then return redis.call('XGROUP', 'DELCONSUMER', KEYS[1], ARGV[1], ARGV[2]) end
return -1`;

/** KEYS lock; ARGV owner ttl_ms. Takes or prolongs a lock. */
const HOLD = `
local owner = redis.call('GET', KEYS[1])
if owner and owner ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1`;

type Argument = string | number | Uint8Array;
type Script<R> = (...args: Argument[]) => Promise<R>;

/** What the clients of one server and of a cluster have in common. */
type RedisClient = RedisCommander &
  Pick<Redis, "multi" | "on" | "once" | "off" | "connect" | "disconnect"> & { readonly status: string };

/** A client that knows the scripts. The first argument of those without a fixed number of keys is that number. */
export interface ScriptedRedis extends RedisClient {
  hiOffer: Script<"accepted" | "overtaken" | "entries" | "bytes">;
  hiBegin: Script<number>;
  hiStates: Script<(string | null)[]>;
  hiAttempt: Script<number>;
  hiSettle: Script<number>;
  hiBury: Script<number>;
  hiRevive: Script<number>;
  hiLetters: Script<[string, string, string, string, number][]>;
  hiGroup: Script<"OK">;
  hiDrop: Script<number>;
  hiRetire: Script<number>;
  hiTakeOverBuffer: Script<[Buffer, [Buffer, Buffer[] | null][]][]>;
  hiHandOver: Script<number>;
  hiHold: Script<number>;
  hiAllow: Script<[number, number, number]>;
  hiGiveBack: Script<number>;
  hiWaiting: Script<number[]>;
  hiMetas: Script<[string, string][]>;
  hiEndHashes: Script<number>;
  hiLineage: Script<string>;
}

/** Teach a client the scripts; ioredis sends EVALSHA and falls back to EVAL by itself. */
export function withScripts(redis: Redis | Cluster): ScriptedRedis {
  redis.defineCommand("hiOffer", { lua: OFFER });
  redis.defineCommand("hiBegin", { lua: BEGIN });
  redis.defineCommand("hiStates", { lua: STATES });
  redis.defineCommand("hiAttempt", { lua: ATTEMPT, numberOfKeys: 1 });
  redis.defineCommand("hiSettle", { lua: SETTLE });
  redis.defineCommand("hiBury", { lua: BURY, numberOfKeys: 4 });
  redis.defineCommand("hiRevive", { lua: REVIVE, numberOfKeys: 4 });
  redis.defineCommand("hiLetters", { lua: LETTERS, numberOfKeys: 1 });
  redis.defineCommand("hiGroup", { lua: GROUP, numberOfKeys: 1 });
  redis.defineCommand("hiDrop", { lua: DROP, numberOfKeys: 1 });
  redis.defineCommand("hiRetire", { lua: RETIRE, numberOfKeys: 1 });
  redis.defineCommand("hiTakeOver", { lua: TAKE_OVER, numberOfKeys: 1 });
  redis.defineCommand("hiHandOver", { lua: HAND_OVER, numberOfKeys: 1 });
  redis.defineCommand("hiHold", { lua: HOLD, numberOfKeys: 1 });
  redis.defineCommand("hiAllow", { lua: ALLOW, numberOfKeys: 1 });
  redis.defineCommand("hiGiveBack", { lua: GIVE_BACK, numberOfKeys: 1 });
  redis.defineCommand("hiWaiting", { lua: WAITING });
  redis.defineCommand("hiMetas", { lua: METAS, numberOfKeys: 1 });
  redis.defineCommand("hiEndHashes", { lua: END_HASHES });
  redis.defineCommand("hiLineage", { lua: LINEAGE, numberOfKeys: 1 });
  return redis as Redis & ScriptedRedis;
}
