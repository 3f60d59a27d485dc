/** A real Redis Cluster, three masters with a replica each: what was accepted is stored once, whatever happens to it. */
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "bun:test";
import { streamKey } from "../../src/stream/keys.ts";
import { slotOf } from "../../src/stream/slots.ts";
import { type Batch, BatchSource, randomFrom, seedOf } from "../support/fault/batches.ts";
import { type Load, postBatch } from "../support/fault/load.ts";
import { type ClusterNode, RedisCluster } from "../support/redis-cluster.ts";
import { Stack } from "../support/stack.ts";
import { until } from "../support/until.ts";

const TEST_MS = 240_000;
/** With three masters 1, 2 and 2 of them are on each. */
const PARTITIONS = 5;
const seed = seedOf("cluster");
let cluster: RedisCluster;
let stack: Stack;

beforeAll(async () => {
  cluster = await RedisCluster.start({ masters: 3, replicas: 1 });
}, TEST_MS);
afterAll(() => cluster.close(), TEST_MS);
beforeEach(async () => {
  stack = await Stack.createOn(cluster.url, { STREAM_PARTITIONS: String(PARTITIONS) });
}, TEST_MS);
afterEach(() => stack.close(), TEST_MS);

/** So many batches more have been accepted. */
const more = (load: Load, count: number) => {
  const goal = load.accepted.size + count;
  return until(`${count} more batches are accepted`, () => load.accepted.size >= goal, 60_000);
};
const masterOf = (partition: number, silent?: ClusterNode) =>
  cluster.masterOf(slotOf(streamKey(partition)), silent);
/** The job of a batch that is sent without a key, if it is accepted. */
async function accepted(token: string, batch: Batch): Promise<string | undefined> {
  const response = await postBatch(stack.url, token, { ...batch, key: "" });
  const { job_id } = (await response.json()) as { job_id?: string };
  return response.status === 202 ? job_id : undefined;
}
const isReady = async () => (await fetch(`${stack.url}/readyz`)).status === 200;
const unanswered = (load: Load) => load.answers.filter(({ status }) => status !== 202).length;

test(
  "two API and two worker processes: a master that is killed loses nothing that was accepted, and comes back as a replica",
  async () => {
    await Promise.all([stack.start("api"), stack.start("api"), stack.start("worker"), stack.start("worker")]);
    const load = await stack.load(seed);
    const source = new BatchSource(randomFrom(seed - 1), 10);
    await more(load, 60);
    const victim = await masterOf(0);
    const killed_ms = performance.now();
    await victim.kill();
    await until("batches that need it are told so", () => load.count(503, killed_ms) > 0, 60_000);
    await until("another master has its slots", async () => (await masterOf(0)) !== victim, 60_000);
    await until("every slot is served again", isReady, 60_000);
    // The heir has no replica: its own batches wait, and those that may go anywhere go to the others.
    const token = await stack.login();
    for (const batch of [source.next(), source.next(), source.next()]) {
      const answer = await until("a batch without a key is accepted", () => accepted(token, batch), 60_000);
      load.accepted.set(answer, batch);
    }
    await victim.start();
    // Until it has heard of its heir it takes itself for the master that it was.
    const isReplica = async () => (await victim.info("replication", "role")) === "slave";
    await until("it is a replica", isReplica, 60_000);
    await cluster.settled();
    await more(load, 60);
    await load.stop();
    await stack.reckoning.drained(60_000, () => stack.tail());
    await stack.reckoning.expectEachReadingOnce(load.accepted, unanswered(load));
  },
  TEST_MS,
);

test(
  "a master that freezes and wakes up when another one has its place: what it still believes changes nothing",
  async () => {
    await Promise.all([stack.start("api"), stack.start("worker")]);
    const load = await stack.load(seed + 3);
    await more(load, 30);
    const frozen = await masterOf(1);
    frozen.signal("SIGSTOP");
    await until("another master has its slots", async () => (await masterOf(1, frozen)) !== frozen, 60_000);
    await until("its batches are refused", () => load.count(503) > 0, 60_000);
    frozen.signal("SIGCONT");
    await cluster.settled();
    await more(load, 60);
    await load.stop();
    await stack.reckoning.drained(60_000, () => stack.tail());
    await stack.reckoning.expectEachReadingOnce(load.accepted, unanswered(load));
    expect(load.slowest_ms).toBeLessThan(25_000);
  },
  TEST_MS,
);

test(
  "masters that change places, and a partition that moves to another one, under load: no job twice, none lost",
  async () => {
    await Promise.all([stack.start("api"), stack.start("worker"), stack.start("worker")]);
    const load = await stack.load(seed + 1);
    await more(load, 30);
    const former = await masterOf(1);
    const heir = await cluster.replicaOf(former);
    await heir.client.cluster("FAILOVER");
    await until("the replica has taken over", async () => (await masterOf(1)) === heir);
    await cluster.settled();
    await more(load, 30);
    const slot = slotOf(streamKey(0));
    const [from, to] = [await masterOf(0), heir];
    await cluster.moveSlot(slot, from, to);
    await more(load, 60);
    await cluster.moveSlot(slot, to, from);
    await more(load, 30);
    await load.stop();
    await stack.settle(load);
  },
  TEST_MS,
);

test(
  "without its replica a master's batches are refused with 503, and accepted once it is back: each makes one job",
  async () => {
    await Promise.all([stack.start("api"), stack.start("worker")]);
    const load = await stack.load(seed + 2);
    await more(load, 20);
    const replica = await cluster.replicaOf(await masterOf(0));
    await replica.kill();
    await until("batches are refused", () => load.count(503) > 0, 60_000);
    await replica.start();
    await cluster.settled();
    await more(load, 60);
    await load.stop();
    await stack.settle(load);
    const refused = load.answers.filter(({ status }) => status === 503);
    expect(refused.every(({ retry_after }) => Number(retry_after) >= 1)).toBe(true);
    expect(refused.every(({ content_type }) => content_type === "application/problem+json")).toBe(true);
  },
  TEST_MS,
);
