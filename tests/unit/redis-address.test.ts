/** REDIS_URL of a cluster, and where keys fall. */
import { describe, expect, test } from "bun:test";
import { clusterAddress } from "../../src/stream/address.ts";
import { jobKey, streamKey } from "../../src/stream/keys.ts";
import { slotOf } from "../../src/stream/slots.ts";

describe("a URL of a cluster", () => {
  test("names nodes, user and password", () => {
    expect(clusterAddress("redis-cluster://a:1,b.example:6379,[::1]:7000")).toEqual({
      nodes: [
        { host: "a", port: 1 },
        { host: "b.example", port: 6379 },
        { host: "::1", port: 7000 },
      ],
    });
    expect(clusterAddress("rediss-cluster://user:p%40ss%2C@10.0.0.1:6379")).toEqual({
      username: "user",
      password: "p@ss,",
      nodes: [{ host: "10.0.0.1", port: 6379 }],
    });
    expect(clusterAddress("redis-cluster://:secret@a:1")).toMatchObject({ password: "secret" });
  });

  test.each([
    "redis://a:1",
    "redis-cluster://",
    "redis-cluster://a",
    "redis-cluster://a:1,",
    "redis-cluster://a:1,b",
    "redis-cluster://a:70000",
    "redis-cluster://a:0",
    "redis-cluster://a:1/0",
    "redis-cluster://%zz:p@a:1",
    "redis-cluster://a:1 b:2",
  ])("%s is none", (url) => {
    expect(clusterAddress(url)).toBeNull();
  });
});

// From "CLUSTER KEYSLOT" of Redis 8.0.2, and the specification's own example.
test.each([
  ["123456789", 0x31c3],
  ["ingest:{0}", 13907],
  ["ingest:{1}", 9842],
  ["ingest:{63}", 10499],
  ["workers", 2466],
  ["foo{}{bar}", 8363],
  ["foo{{bar}}zap", 4015],
])("%s falls on slot %d", (key, slot) => {
  expect(slotOf(key)).toBe(slot);
});

test("the keys of a partition fall together", () => {
  expect(slotOf(jobKey("01890000-0000-7000-8000-000000000003"))).toBe(slotOf(streamKey(3)));
});
