/** Dead letters through the API: seen, replayed and discarded, each decision once and on record. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { encodeEntry } from "../../../src/contract/entry.ts";
import { newJobId } from "../../../src/contract/job-id.ts";
import type { DeadLetterView } from "../../../src/contract/oversight.ts";
import { deadClaimKey, deadKey, jobKey, streamKey } from "../../../src/stream/keys.ts";
import { ApiBench, batchOf, type TestApi, type TestUser } from "../../support/api.ts";
import { auditOf } from "../../support/audit.ts";
import { expectProblem } from "../../support/problem.ts";
import { bodyOf, linkedPages } from "../../support/registry.ts";

const PATH = "/api/v1/dead-letters";
let bench: ApiBench;
let api: TestApi;
let reviewer: TestUser;
let admin: TestUser;
beforeAll(async () => {
  bench = await ApiBench.create();
  api = await bench.start({ config: { STREAM_PARTITIONS: 2 } });
  reviewer = await api.tokenFor("reviewer");
  admin = await api.tokenFor("admin");
});
afterEach(() => bench.redis.flushdb());
afterAll(() => bench.close());

interface Page {
  items: DeadLetterView[];
  next: string | null;
}
const get = (path: string, user = reviewer) => api.call(user.token, "GET", path);
const post = (path: string, body: unknown, user = reviewer) => api.call(user.token, "POST", path, body);
const audit = (id: string) => auditOf(api, admin.token, "dead_letter", id);
const statusOf = async (job_id: string) =>
  (await bench.database.sql`SELECT status FROM diagnostics_ingestion_job WHERE id = ${job_id}`)[0]?.status;

/** A dead letter as a worker leaves it, its job failed. @param body JSON of the batch, or what stands in its place */
async function buried(id = "*", partition = 0, body = Buffer.from(JSON.stringify(batchOf(2)))) {
  const job_id = newJobId(partition);
  const { system_id } = batchOf(1);
  const user_id = crypto.randomUUID();
  const meta = {
    job_id,
    system_id,
    user_id,
    request_id: "r",
    total_readings: 2,
    received_at_ms: 1_767_225_600_000,
  };
  await bench.database.sql`
    INSERT INTO diagnostics_ingestion_job (id, system_id, created_by, status, total_readings, created_at, completed_at,
      error_message) VALUES (${job_id}, ${system_id}, ${user_id}, 'failed', 2, now(), now(), 'poison')`;
  const entry = await bench.redis.xadd(
    deadKey(partition),
    id,
    ...["reason", "poison", "entry", "1-0", "buried_at_ms", "1767225601000"],
    ...encodeEntry(meta, body),
  );
  return { job_id, user_id, body, id: `${partition}/${entry}`, path: `${PATH}/${partition}/${entry}` };
}

describe("dead letters", () => {
  test("are listed newest first over all partitions, each once", async () => {
    const ids = ["1-0", "1-1", "2-0", "10-0", "10-2"];
    const made = [];
    for (const id of ids) for (const partition of [0, 1]) made.push(await buried(id, partition));
    for (let i = 0; i < 25; i += 1) made.push(await buried(`${20 + i}-0`, 1));
    const seen = await linkedPages<DeadLetterView>(api, reviewer.token, `${PATH}?limit=3`);
    expect(seen.map((l) => l.id)).toEqual(made.map((l) => l.id).reverse());
    expect((await bodyOf<Page>(await get(`${PATH}?limit=200`))).items).toEqual(seen);
    expect(seen.at(-1)).toEqual({
      id: "0/1-0",
      reason: "poison",
      buried_at: "2026-01-01T00:00:01.000Z",
      size_bytes: made[0]!.body.length,
      job: {
        job_id: made[0]!.job_id,
        system_id: batchOf(1).system_id,
        created_by: made[0]!.user_id,
        total_readings: 2,
        received_at: "2026-01-01T00:00:00.000Z",
      },
    });
  });

  test("of one job are found behind others, page by page", async () => {
    const letter = await buried();
    for (let i = 0; i < 12; i += 1) await buried();
    // As it is when its replay failed and was recorded twice.
    const [row] = await bench.redis.xrangeBuffer(deadKey(0), letter.id.slice(2), letter.id.slice(2));
    const twin = await bench.redis.xadd(deadKey(0), "*", ...(row as unknown as [Buffer, Buffer[]])[1]);
    const path = `${PATH}?job_id=${letter.job_id.toUpperCase()}&limit=1`;
    const first = await bodyOf<Page>(await get(path));
    expect(first.items).toMatchObject([{ id: `0/${twin}`, job: { job_id: letter.job_id } }]);
    const second = await bodyOf<Page>(await get(first.next!));
    expect(second).toMatchObject({ items: [{ id: letter.id }], next: null });
    expect(await bodyOf<Page>(await get(`${PATH}?job_id=${newJobId(0)}`))).toEqual({ items: [], next: null });
    // Of a partition that is not there.
    expect(await bodyOf<Page>(await get(`${PATH}?job_id=${newJobId(200)}`))).toEqual({
      items: [],
      next: null,
    });
  });

  test("show their payload as it was sent, also a compressed one, up to a bound", async () => {
    const small = await buried();
    const text = await bodyOf<{ payload: object }>(await get(small.path));
    expect(text.payload).toEqual({ encoding: "json", body: small.body.toString(), truncated: false });
    // The bound falls into a character of three bytes.
    const large = await buried("*", 1, Buffer.from(`"${"€".repeat(100_000)}"`));
    const { payload } = await bodyOf<{ payload: { body: string; truncated: boolean } }>(
      await get(large.path),
    );
    expect(payload).toEqual({
      encoding: "json",
      body: `"${"€".repeat(87_381)}`,
      truncated: true,
    } as object as never);
  });

  test("that cannot be read are shown and decided about too", async () => {
    const own = ["reason", "no fields", "entry", "1-0", "buried_at_ms", "1767225601000"];
    const entry = await bench.redis.xadd(
      deadKey(0),
      "*",
      ...own,
      "v",
      "9",
      "m",
      "?",
      "b",
      Buffer.from([255, 0]),
    );
    const letter = await bodyOf<object>(await get(`${PATH}/0/${entry}`));
    expect(letter).toMatchObject({
      job: null,
      size_bytes: 2,
      payload: { encoding: "base64", body: "/wA=", truncated: false },
    });
    await bodyOf(await post(`${PATH}/0/${entry}/discard`, { note: "garbage" }));
    const odd = await bench.redis.xadd(deadKey(0), "*", ...own, "hello", "world");
    expect((await bodyOf<Page>(await get(PATH))).items).toMatchObject([
      { id: `0/${odd}`, job: null, size_bytes: 0 },
    ]);
    await bodyOf(await post(`${PATH}/0/${odd}/replay`, {}));
    expect(await bench.redis.xlen(streamKey(0))).toBe(1);
  });

  test.each(["/64/1-0", "/x/1-0", "/0/1", "/0/x"])(
    "are refused at %s, unknown ones not found",
    async (path) => {
      await expectProblem(await get(PATH + path), "invalid-request");
      await expectProblem(await get(`${PATH}/0/1-0`), "dead-letter-not-found");
    },
  );

  test.each(["limit=201", "after=x", "after=WyJ4IiwiMS0wIl0", "x=1", "job_id=x"])(
    "are refused for %s",
    async (query) => {
      await expectProblem(await get(`${PATH}?${query}`), "invalid-request");
    },
  );
});

describe("a replay", () => {
  test("puts the batch back and queues its job again, once, on record", async () => {
    const letter = await buried();
    const answers = await Promise.all(
      Array.from({ length: 6 }, () => post(`${letter.path}/replay`, { note: "fixed" })),
    );
    expect(answers.map((a) => a.status).sort()).toEqual([200, 409, 409, 409, 409, 409]);
    const good = answers.find((a) => a.status === 200)!;
    expect(await good.json()).toMatchObject({ id: letter.id, job: { job_id: letter.job_id } });
    expect(await bench.redis.xlen(streamKey(0))).toBe(1);
    expect(await bench.redis.xlen(deadKey(0))).toBe(0);
    expect(await bench.redis.hget(jobKey(letter.job_id), "status")).toBe("queued");
    expect(await statusOf(letter.job_id)).toBe("queued");
    const [entry, ...more] = await audit(letter.id);
    expect(more).toEqual([]);
    expect(entry).toMatchObject({
      actor: reviewer.id,
      actor_name: reviewer.username,
      action: "dead_letter.replay",
      before: { reason: "poison", job_id: letter.job_id, size_bytes: letter.body.length, total_readings: 2 },
      note: "fixed",
    });
    await expectProblem(await post(`${letter.path}/discard`, { note: "late" }), "dead-letter-gone");
  });

  test("by its job finds the dead letter behind many others", async () => {
    const letter = await buried();
    for (let i = 0; i < 12; i += 1) await buried();
    await bodyOf(await post(`/api/v1/jobs/${letter.job_id.toUpperCase()}/replay`, {}));
    expect(await bench.redis.xlen(deadKey(0))).toBe(12);
    expect((await audit(letter.id)).map((e) => e.note)).toEqual([null]);
    const again = await post(`/api/v1/jobs/${letter.job_id}/replay`, {});
    expect((await expectProblem(again, "dead-letter-gone")).detail).toBe("The job has no dead letter.");
    await expectProblem(await post(`/api/v1/jobs/${newJobId(0)}/replay`, {}), "job-not-found");
    await expectProblem(await post("/api/v1/jobs/x/replay", {}), "invalid-job-id");
  });

  test("waits for nobody who decides at the moment, and happens not without the record", async () => {
    const letter = await buried();
    const entry = letter.id.slice(2);
    await bench.redis.set(deadClaimKey(0, entry), "somebody");
    await expectProblem(await post(`${letter.path}/replay`, {}), "dead-letter-gone");
    await bench.redis.del(deadClaimKey(0, entry));
    bench.postgresProxy.refuse();
    await expectProblem(await post(`${letter.path}/replay`, {}), "service-unavailable");
    bench.postgresProxy.resume();
    expect(await bench.redis.xlen(deadKey(0))).toBe(1);
    expect(await bench.redis.exists(deadClaimKey(0, entry))).toBe(0);
    await bodyOf(await post(`${letter.path}/replay`, {}));
  });
});

describe("a discard", () => {
  test("deletes the payload, leaves the job failed, and keeps what was known", async () => {
    const letter = await buried("*", 1);
    await bodyOf(await post(`${letter.path}/discard`, { note: "sent again" }));
    expect(await bench.redis.xlen(deadKey(1))).toBe(0);
    expect(await bench.redis.xlen(streamKey(1))).toBe(0);
    expect(await statusOf(letter.job_id)).toBe("failed");
    expect(await audit(letter.id)).toMatchObject([
      {
        action: "dead_letter.discard",
        before: { reason: "poison", job_id: letter.job_id, size_bytes: letter.body.length },
        note: "sent again",
      },
    ]);
    await expectProblem(await post(`${letter.path}/discard`, { note: "again" }), "dead-letter-gone");
    await expectProblem(await get(letter.path), "dead-letter-not-found");
    expect((await audit(letter.id)).length).toBe(1);
  });

  test.each([[{}], [{ note: "" }], [{ note: "a\u0000" }], [{ note: "x".repeat(2_001) }]])(
    "is refused with %j",
    async (body) => {
      const letter = await buried();
      await expectProblem(await post(`${letter.path}/discard`, body), "invalid-request");
    },
  );
});

test("producers see none of it, and engineers decide nothing", async () => {
  const letter = await buried();
  const [producer, engineer] = [await api.tokenFor("producer"), await api.tokenFor("engineer")];
  for (const path of [PATH, letter.path]) {
    await expectProblem(await get(path, producer), "forbidden");
    expect((await get(path, engineer)).status).toBe(200);
  }
  for (const path of [
    `${letter.path}/replay`,
    `${letter.path}/discard`,
    `/api/v1/jobs/${letter.job_id}/replay`,
  ]) {
    for (const user of [producer, engineer])
      await expectProblem(await post(path, { note: "x" }, user), "forbidden");
  }
});
