/** The client against the service's own limits: what they refuse is neither lost nor knocked at in vain. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { hashPassword } from "../../../src/api/auth/passwords.ts";
import { HydraulicClient } from "../../../src/client/index.ts";
import { Database } from "../../../src/store/pool.ts";
import { UserStore } from "../../../src/store/users.ts";
import { readingsFrom, refusalOf, SYSTEM } from "../../support/client.ts";
import { Stack } from "../../support/stack.ts";
import { until } from "../../support/until.ts";

let stack: Stack;
beforeAll(async () => {
  stack = await Stack.create({ MAX_BODY_BYTES: "65536" });
  await stack.start("all");
});
afterAll(() => stack.close());

async function clientWith(limits: { requests_per_minute: number; readings_per_minute: number }) {
  const username = `limited-${crypto.randomUUID()}`;
  const database = new Database({ url: stack.urls.database, size: 1, query_deadline_ms: 10_000 });
  const password_hash = await hashPassword("correct horse");
  await new UserStore(database).create({ username, role: "producer", password_hash, ...limits });
  await database.close();
  const accepted: number[] = [];
  const client = new HydraulicClient({
    url: stack.url,
    auth: { username, password: "correct horse" },
    system_id: SYSTEM,
    onAccepted: ({ readings }) => accepted.push(readings),
  });
  return { client, accepted };
}

describe("a batch that the service can never take whole", () => {
  test("because it is larger than a body may be, is stored in parts", async () => {
    const { client, accepted } = await clientWith({ requests_per_minute: 1000, readings_per_minute: 1e9 });
    await client.writeMany(readingsFrom(0, 1500));
    await client.close();
    expect(accepted).toEqual([375, 375, 375, 375]);
  });

  test("because it is more than a minute's readings, begins with a part that fits", async () => {
    const { client, accepted } = await clientWith({ requests_per_minute: 1000, readings_per_minute: 150 });
    await client.writeMany(readingsFrom(0, 200));
    await until("the first half is in", () => accepted.length === 1);
    expect(accepted).toEqual([100]);
    // The second half waits for the next minute.
    expect(await refusalOf(client.close({ deadline_ms: 0 }))).toMatchObject({ name: "UnsentError" });
  });
});

test("a budget of requests that is used up is waited for, while readings gather", async () => {
  const { client, accepted } = await clientWith({ requests_per_minute: 2, readings_per_minute: 1e9 });
  for (let i = 0; i < 2; i += 1) {
    await client.writeMany(readingsFrom(i * 10, 10));
    await client.flush();
  }
  for (let i = 2; i < 30; i += 1) await client.writeMany(readingsFrom(i * 10, 10));
  expect(await refusalOf(client.flush({ deadline_ms: 300 }))).toMatchObject({ name: "FlushDeadlineError" });
  expect(accepted).toEqual([10, 10]);
  expect(client.retries.size).toBe(0);
  expect(await refusalOf(client.close({ deadline_ms: 0 }))).toMatchObject({ readings: 280 });
});
