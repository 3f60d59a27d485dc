/** One look at a job for everybody who follows it, as many followers as there may be, and an end for each. */
import { expect, test } from "bun:test";
import { JobWatch, TooManyFollowersError } from "../../../src/api/job-watch.ts";
import type { JobRecord, JobState } from "../../../src/contract/job.ts";
import { StreamUnavailableError } from "../../../src/stream/connection.ts";
import { QUIET_LOG } from "../../support/hourly.ts";
import { until } from "../../support/until.ts";

/** Jobs to look at, and the looks. */
function scene(bounds = { waits: 3, events: 1 }) {
  const states = new Map<string, JobState>();
  const looks: (readonly string[])[] = [];
  const closing = new AbortController();
  let over = 0;
  const watch = new JobWatch({
    async find(job_ids) {
      looks.push(job_ids);
      await Bun.sleep(1);
      over += 1;
      const known = job_ids.filter((id) => states.has(id));
      const jobs = known.map((id) => [id, { job_id: id, status: states.get(id) } as JobRecord] as const);
      return { jobs: new Map(jobs), doubt: jobs.length < job_ids.length ? AWAY : null };
    },
    log: QUIET_LOG,
    closing: closing.signal,
    bounds,
  });
  const looked = (count: number) => until(`${count} looks`, () => over === count);
  return { states, looks, looked, closing, watch };
}
const AWAY = new StreamUnavailableError("away");
const ALWAYS = new AbortController().signal;

test("however many wait for a job, each change is looked at once, and all of them hear of it", async () => {
  const { states, looks, looked, watch } = scene();
  states.set("a", "queued");
  const all = [1, 2, 3].map(() => watch.ended("a", 60_000, ALWAYS));
  await looked(2);
  states.set("a", "processing");
  watch.onChange(["a", "b"]);
  await looked(3);
  expect(looks).toEqual([["a"], ["a"], ["a"]]);
  states.set("a", "completed");
  watch.onChange(["a"]);
  for (const job of await Promise.all(all)) expect(job).toMatchObject({ job_id: "a", status: "completed" });
  expect(watch.count("waits")).toBe(0);
});

test("what nobody follows is not looked at", () => {
  const { looks, watch } = scene();
  watch.onChange(["a", "b"]);
  watch.onDoubt();
  expect(looks).toEqual([]);
});

test("a new connection is a reason to look at everything that is followed", async () => {
  const { states, looked, watch } = scene();
  states.set("a", "queued").set("b", "queued");
  const both = ["a", "b"].map((id) => watch.ended(id, 60_000, ALWAYS));
  await looked(2);
  states.set("a", "failed").set("b", "completed");
  watch.onDoubt();
  expect((await Promise.all(both)).map((job) => job?.status)).toEqual(["failed", "completed"]);
});

test("a job that has not ended in time, whose client goes, or whose server stops, is let go", async () => {
  const { watch, closing } = scene();
  const client = new AbortController();
  const late = watch.ended("a", 5, ALWAYS);
  const left = watch.ended("a", 5_000, client.signal);
  const stopped = watch.ended("a", 60_000, ALWAYS);
  client.abort();
  expect([await late, await left]).toEqual([null, null]);
  expect(watch.count("waits")).toBe(1);
  closing.abort();
  expect(await stopped).toBeNull();
  expect(await watch.ended("a", 5_000, ALWAYS)).toBeNull();
  expect(watch.count("waits")).toBe(0);
});

test("no more follow than may, each kind by itself", async () => {
  const { watch } = scene();
  const waits = [1, 2, 3].map(() => watch.ended("a", 20, ALWAYS));
  expect(watch.ended("a", 20, ALWAYS)).rejects.toBeInstanceOf(TooManyFollowersError);
  const leave = watch.follow("events", "a", () => undefined);
  expect(() => watch.follow("events", "b", () => undefined)).toThrow(TooManyFollowersError);
  leave();
  leave();
  expect(watch.count("events")).toBe(0);
  await Promise.all(waits);
  expect(watch.count("waits")).toBe(0);
});
