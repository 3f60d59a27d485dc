/** What is asked of a Redis Cluster beside the way of a batch: each master answers for itself, and signals come from all. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { withDeadline } from "../../../src/ops/retry.ts";
import { Allowances } from "../../../src/stream/allowance.ts";
import { clusterClient } from "../../../src/stream/cluster.ts";
import {
  NothingWrittenError,
  ready,
  StreamUnavailableError,
  subscriberClient,
  workClient,
} from "../../../src/stream/connection.ts";
import { DeadLetters } from "../../../src/stream/dead-letters.ts";
import { openLine } from "../../../src/stream/dedicated.ts";
import { inspectKeeping } from "../../../src/stream/durability.ts";
import { StreamHealth } from "../../../src/stream/health.ts";
import { inspectRedis } from "../../../src/stream/inspect.ts";
import { JobSignals } from "../../../src/stream/job-signals.ts";
import { jobKey, streamKey } from "../../../src/stream/keys.ts";
import { type BatchOffer, Producer } from "../../../src/stream/producer.ts";
import { NotReplicatedError, Replicas } from "../../../src/stream/replicas.ts";
import type { ScriptedRedis } from "../../../src/stream/scripts.ts";
import { slotOf } from "../../../src/stream/slots.ts";
import { WorkerBoard } from "../../../src/stream/worker-board.ts";
import { RedisCluster } from "../../support/redis-cluster.ts";
import { someOffer } from "../../support/stream-redis.ts";
import { until } from "../../support/until.ts";

const PARTITIONS = 5;
const BOUNDS = { partitions: PARTITIONS, max_entries: 1_000, max_bytes: 1e9, idempotency_ttl_s: 60 };
let cluster: RedisCluster;
let redis: ScriptedRedis;
beforeAll(async () => {
  cluster = await RedisCluster.start({ masters: 3, replicas: 1 });
  redis = workClient(cluster.url);
  await ready(redis, 30_000);
});
afterAll(async () => {
  redis.disconnect();
  await cluster.close();
});

async function offer(producer: Producer, idempotency?: BatchOffer["idempotency"]): Promise<string> {
  const outcome = await producer.offer(someOffer(idempotency ? { idempotency } : {}));
  if (outcome.kind !== "accepted") throw new Error(outcome.kind);
  return outcome.job_id;
}

test("every partition is on the master of its slot, each master with its replica", async () => {
  const servers = await inspectRedis(redis, PARTITIONS, Date.now);
  expect(servers.map(({ partitions }) => partitions.length).sort()).toEqual([1, 2, 2]);
  expect(servers.flatMap(({ partitions }) => partitions).sort()).toEqual([0, 1, 2, 3, 4]);
  for (const { address, partitions, replicas, append_only } of servers) {
    expect([replicas, append_only]).toEqual([1, true]);
    for (const p of partitions)
      expect((await cluster.masterOf(slotOf(`ingest:{${p}}`))).address).toBe(address!);
  }
});

test("what one master falls short of is said of all", async () => {
  expect(await inspectKeeping(redis)).toEqual({ durability: "everysec", eviction: "noeviction" });
  const [master] = cluster.nodes;
  await master!.client.config("SET", "appendfsync", "no");
  await master!.client.config("SET", "maxmemory-policy", "allkeys-lru");
  expect(await inspectKeeping(redis)).toEqual({ durability: "os", eviction: "allkeys-lru" });
  await master!.client.config("SET", "appendfsync", "everysec");
  await master!.client.config("SET", "maxmemory-policy", "noeviction");
});

test("one master that takes no writes is enough not to be writable", async () => {
  const health = new StreamHealth(redis, BOUNDS);
  expect((await health.probe()).writable).toBe(true);
  const [master] = cluster.nodes;
  await master!.client.config("SET", "maxmemory", "1");
  await expect(health.probe()).rejects.toBeInstanceOf(StreamUnavailableError);
  await master!.client.config("SET", "maxmemory", "0");
  expect((await health.probe()).writable).toBe(true);
});

test("jobs of every partition are told to a listener on any node; boards, budgets and dead letters go to all slots", async () => {
  const signals = new JobSignals(subscriberClient(cluster.url));
  const [heard, doubts]: [string[], number[]] = [[], []];
  signals.listen({ onChange: (ids) => heard.push(...ids), onDoubt: () => doubts.push(1) });
  await until("it listens", () => doubts.length > 0);
  const producer = new Producer(redis, BOUNDS);
  const ids = await Promise.all(Array.from({ length: PARTITIONS }, () => offer(producer)));
  for (const id of ids) await redis.hiBegin(1, jobKey(id), 5);
  await until("all are told", () => ids.every((id) => heard.includes(id)));
  signals.close();

  expect((await new StreamHealth(redis, BOUNDS).look()).entries).toBe(PARTITIONS);
  expect(await new DeadLetters(redis, PARTITIONS).page(null, 10)).toEqual([]);
  const board = new WorkerBoard(redis);
  const beat = { threads: [], counts: { inserted: 1, judged: 1, quarantined: 0 } };
  for (const process of ["a", "b", "c", "d"]) await board.write({ process, ...beat }, Date.now());
  expect((await board.all()).map(({ process }) => process)).toEqual(["a", "b", "c", "d"]);
  const allowances = new Allowances(redis, { monotonic_ms: () => performance.now() });
  const taken = await Promise.all(
    ["u", "v", "w", "x"].map((user) => allowances.take("requests", user, 1, 2)),
  );
  expect(taken.map(({ remaining }) => remaining)).toEqual([1, 1, 1, 1]);
});

test("a batch that its replica does not have is refused, also when another server says that all is well", async () => {
  const settings = { replicas: 1, on_disk: false };
  const replicas = new Replicas((p) => openLine(cluster.url, redis, p), settings);
  const producer = new Producer(redis, BOUNDS, replicas);
  const id = await offer(producer);
  // As after a failover: the server that is asked has not got the batch, and its replicas have all that it has.
  await expect(replicas.confirm(0, "job:{0}:never-written")).rejects.toThrow("was lost before");
  await replicas.confirm(0, null);
  const replica = await cluster.replicaOf(await cluster.masterOf(slotOf(jobKey(id))));
  replica.signal("SIGSTOP");
  const partition = Number.parseInt(id.slice(-2), 16);
  await expect(replicas.confirm(partition, jobKey(id))).rejects.toBeInstanceOf(StreamUnavailableError);
  replica.signal("SIGCONT");
  await until("it has caught up", () =>
    replicas.confirm(partition, jobKey(id)).then(
      () => true,
      () => false,
    ),
  );
  replicas.close();
});

test("with the disks of master and replica: a replica without an append-only file does not count", async () => {
  for (const { client } of cluster.nodes) await client.config("SET", "appendfsync", "always");
  const replicas = new Replicas((p) => openLine(cluster.url, redis, p), { replicas: 1, on_disk: true });
  await offer(new Producer(redis, BOUNDS, replicas));
  const replica = await cluster.replicaOf(await cluster.masterOf(slotOf(streamKey(0))));
  await replica.client.config("SET", "appendonly", "no");
  await expect(replicas.confirm(0, null)).rejects.toThrow("0 of 1 replicas have a batch on disk");
  await replica.client.config("SET", "appendonly", "yes");
  replicas.close();
});

test("many that wait share few questions", async () => {
  let questions = 0;
  const replicas = new Replicas(
    (p) => openLine(cluster.url, redis, p),
    { replicas: 1, on_disk: false },
    () => {
      questions += 1;
    },
  );
  const id = await offer(new Producer(redis, { ...BOUNDS, partitions: 1 }));
  await Promise.all(Array.from({ length: 300 }, () => replicas.confirm(0, jobKey(id))));
  expect(questions).toBeLessThanOrEqual(3);
  replicas.close();
});

test("a partition that is refused is left out by batches that may go anywhere; with a key there is no choice", async () => {
  const refusing = {
    expect: (p: number) =>
      p === 0 ? Promise.reject(new NotReplicatedError("no replica")) : Promise.resolve(),
    confirm: () => Promise.resolve(),
  };
  const producer = new Producer(redis, { ...BOUNDS, partitions: 2 }, refusing);
  await expect(offer(producer)).rejects.toBeInstanceOf(NothingWrittenError);
  for (let i = 0; i < 6; i += 1) expect((await offer(producer)).slice(-2)).toBe("01");
  const keyed = { partition: 0, redisKey: "idem:{0}:u:k", token: "t", fingerprint: "f" };
  await expect(offer(producer, keyed)).rejects.toBeInstanceOf(NothingWrittenError);
});

test("a command without any node ends in time", async () => {
  const nobody = clusterClient(
    { nodes: [{ host: "127.0.0.1", port: 1 }] },
    { commandTimeout: 300, maxRetriesPerRequest: null },
  );
  nobody.on("error", () => undefined);
  await expect(withDeadline(nobody.get("key"), 5_000, "the command")).rejects.toThrow("Command timed out");
  nobody.disconnect();
});
