/** Threads that throw, reject, fall silent or end are replaced; a stop is ordered and bounded. */
import { afterEach, describe, expect, test } from "bun:test";
import type { FromThread } from "../../../src/ingest/messages.ts";
import { Supervisor } from "../../../src/ingest/supervisor.ts";
import { type Clock, systemClock } from "../../../src/ops/clock.ts";
import { createLogger } from "../../../src/ops/log.ts";
import type { Behaviour } from "../../support/scripted-thread.ts";
import { until } from "../../support/until.ts";

const ENTRY = new URL("../../support/scripted-thread.ts", import.meta.url);
const running: Supervisor[] = [];
afterEach(async () => {
  for (const supervisor of running.splice(0)) await supervisor.stop(200);
});

interface Death {
  readonly worker: string;
  readonly why: string;
  readonly restart_in_ms: number;
}

function supervise(
  script: readonly Behaviour[],
  options: { threads?: number; clock?: Clock; timeout_ms?: number } = {},
) {
  const heard: FromThread[] = [];
  const deaths: Death[] = [];
  const into = {
    write: (line: string) => {
      const entry = JSON.parse(line) as Death & { msg: string };
      if (entry.msg === "ingest thread died") deaths.push(entry);
      return true;
    },
  } as unknown as NodeJS.WritableStream;
  const supervisor = new Supervisor(
    {
      threads: options.threads ?? 1,
      heartbeat_timeout_ms: options.timeout_ms ?? 20_000,
      process_name: "host:1:x",
      thread: {
        database_url: script.join(","),
        redis_url: "",
        partitions: 1,
        job_ttl_s: 1,
        claim_idle_ms: 1,
        heartbeat_ms: 1,
        units: [],
        sensor_registration: "auto",
        log: { level: "error", format: "json" },
      },
      entry: ENTRY,
    },
    options.clock ?? systemClock,
    createLogger({ level: "info", format: "json" }, into),
    (message) => heard.push(message),
  );
  running.push(supervisor);
  supervisor.start();
  const started = () =>
    heard.flatMap((m) =>
      m.kind === "retrying" ? [JSON.parse(m.fault) as { consumer: string; predecessor: string | null }] : [],
    );
  return { supervisor, heard, deaths, started };
}

describe("a thread that", () => {
  test.each<[Behaviour, RegExp]>([
    ["throw", /thrown on purpose/],
    ["reject", /./],
    ["exit", /./],
    ["fatal", /fatal on purpose/],
    ["busy", /no sign of life for \d+ ms/],
    ["mute", /no sign of life for \d+ ms/],
  ])("does %s is replaced by one with a new name that knows its predecessor", async (behaviour, why) => {
    // Short only for those who are told by it: the second life must not be late.
    const timeout_ms = behaviour === "busy" || behaviour === "mute" ? 3_000 : 20_000;
    const { supervisor, deaths, started } = supervise([behaviour, "ok"], { timeout_ms });
    const state = () => supervisor.summaries()[0]!;
    await until(
      "the second life",
      () => state().restarts === 1 && state().state === "running" && state().in_hand === 2,
    );
    expect(started()).toEqual([
      { consumer: "host:1:x:0.1", predecessor: null },
      { consumer: "host:1:x:0.2", predecessor: "host:1:x:0.1" },
    ]);
    expect(deaths).toHaveLength(1);
    expect(deaths[0]).toMatchObject({ worker: "host:1:x:0.1", restart_in_ms: 100 });
    expect(deaths[0]!.why).toMatch(why);
    expect(state().last_error).toMatch(why);
  });

  test("is killed is replaced, its neighbour is not disturbed", async () => {
    const { supervisor, started } = supervise(["ok"], { threads: 2 });
    await until("both run", () => supervisor.summaries().every(({ state }) => state === "running"));
    supervisor.kill(0);
    expect(supervisor.summaries().map(({ state, in_hand }) => ({ state, in_hand }))[0]).toEqual({
      state: "waiting",
      in_hand: 0,
    });
    supervisor.kill(0);
    supervisor.kill(7);
    await until("both run again", () => supervisor.summaries().every(({ state }) => state === "running"));
    expect(supervisor.summaries().map(({ restarts }) => restarts)).toEqual([1, 0]);
    expect(
      started()
        .map(({ consumer }) => consumer)
        .sort(),
    ).toEqual(["host:1:x:0.1", "host:1:x:0.2", "host:1:x:1.1"]);
  });
});

describe("restarts", () => {
  test("wait twice as long each time, and longest after five deaths within a minute", async () => {
    const { supervisor, deaths } = supervise(["fatal"]);
    await until("six deaths", () => deaths.length === 6);
    expect(deaths.map(({ restart_in_ms }) => restart_in_ms)).toEqual([100, 200, 400, 800, 1_600, 30_000]);
    const begin = performance.now();
    await supervisor.stop(20_000);
    expect(performance.now() - begin).toBeLessThan(10_000);
    expect(supervisor.summaries()[0]!.state).toBe("stopped");
  });

  test("begin anew when the deaths lie a minute apart", async () => {
    let shift_ms = 0;
    const clock: Clock = { now_ms: () => Date.now(), monotonic_ms: () => performance.now() + shift_ms };
    const { deaths, supervisor } = supervise(["ok"], { clock, timeout_ms: 600_000 });
    for (let n = 1; n <= 4; n += 1) {
      await until("it runs", () => supervisor.summaries()[0]!.state === "running");
      supervisor.kill(0);
      await until("it died", () => deaths.length === n);
      shift_ms += 60_001;
    }
    expect(deaths.map(({ restart_in_ms }) => restart_in_ms)).toEqual([100, 100, 100, 100]);
  });
});

describe("stop", () => {
  test("drains every thread and starts none again; a second stop changes nothing", async () => {
    const { supervisor, heard, deaths } = supervise(["ok"], { threads: 3 });
    await until("all run", () => supervisor.summaries().every(({ state }) => state === "running"));
    await Promise.all([supervisor.stop(5_000), supervisor.stop(5_000)]);
    await supervisor.stop(100);
    expect(supervisor.summaries().map(({ state }) => state)).toEqual(["stopped", "stopped", "stopped"]);
    expect(heard.filter(({ kind }) => kind === "drained")).toHaveLength(3);
    expect(deaths).toEqual([]);
  });

  test("ends a thread that does not obey at the deadline, also a busy one", async () => {
    const { supervisor } = supervise(["busy"], { timeout_ms: 60_000 });
    const deaf = supervise(["deaf"]);
    await until("both run", () =>
      [supervisor, deaf.supervisor].every((s) => s.summaries()[0]!.state === "running"),
    );
    const begin = performance.now();
    await Promise.all([supervisor.stop(300), deaf.supervisor.stop(300)]);
    expect(performance.now() - begin).toBeWithin(250, 30_000);
    expect([supervisor, deaf.supervisor].map((s) => s.summaries()[0]!.state)).toEqual(["stopped", "stopped"]);
  });

  test("while a thread waits for its restart, and while one starts, leaves nothing behind", async () => {
    const waiting = supervise(["fatal"]);
    await until("it waits", () => waiting.supervisor.summaries()[0]!.state === "waiting");
    const lives = waiting.started().length;
    await waiting.supervisor.stop(1_000);
    const starting = supervise(["mute"]);
    await starting.supervisor.stop(2_000);
    expect(waiting.supervisor.summaries()[0]!.state).toBe("stopped");
    expect(starting.supervisor.summaries()[0]!.state).toBe("stopped");
    expect(waiting.started()).toHaveLength(lives);
  });

  test("a thread that dies while it drains is not replaced", async () => {
    const { supervisor, started } = supervise(["deaf"]);
    await until("it runs", () => supervisor.summaries()[0]!.state === "running");
    const stopped = supervisor.stop(10_000);
    supervisor.kill(0);
    await stopped;
    expect(supervisor.summaries()[0]).toMatchObject({ state: "stopped", last_error: "killed" });
    expect(started()).toHaveLength(1);
  });
});

test("messages are passed on, heartbeats are not", async () => {
  const { supervisor, heard } = supervise(["ok"]);
  await until("a heartbeat came", () => supervisor.summaries()[0]!.in_hand === 2);
  expect(new Set(heard.map(({ kind }) => kind))).toEqual(new Set(["retrying", "ready"]));
});
