import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import type { SimulationPlan } from "../../../../src/feed/simulate/batches.ts";
import { faultShares } from "../../../../src/feed/simulate/faults.ts";
import { Simulation, type SimulationRun } from "../../../../src/feed/simulate/run.ts";
import { summarize, summaryText } from "../../../../src/feed/simulate/summary.ts";
import { systemClock } from "../../../../src/ops/clock.ts";
import { sleep } from "../../../../src/ops/retry.ts";
import { FakeService, type Scripted } from "../../../support/fake-service.ts";
import { clientOf } from "../../../support/feed.ts";
import { until } from "../../../support/until.ts";

const SURROUNDINGS = { clock: systemClock, random: Math.random, sleep };

let fake: FakeService;
let stop: AbortController;
let abandon: AbortController;
beforeEach(async () => {
  fake = await FakeService.start();
  stop = new AbortController();
  abandon = new AbortController();
});
afterEach(() => fake.stop());

function plan(changes: Partial<SimulationPlan> = {}): SimulationPlan {
  return {
    seed: 1,
    system_id: "550e8400-e29b-41d4-a716-446655440000",
    users: 2,
    rate: 100_000,
    batch: 100,
    readings: 4000,
    start_us: Date.now() * 1000 - 60_000_000,
    shares: faultShares(0, new Map()),
    ...changes,
  };
}

function simulation(planned: SimulationPlan, changes: Partial<SimulationRun> = {}) {
  const retry = { deadline_ms: 60_000, first_backoff_ms: 5, max_backoff_ms: 20 };
  const clients = Array.from({ length: planned.users }, (_, i) =>
    clientOf(fake.url, SURROUNDINGS, retry, { username: `feeder-${i + 1}`, password: "password" }),
  );
  const run: SimulationRun = {
    plan: planned,
    clients,
    concurrency: 8,
    wait_ms: 60_000,
    grace_ms: 60_000,
    run_id: crypto.randomUUID(),
    surroundings: SURROUNDINGS,
    stop: stop.signal,
    abandon: abandon.signal,
    ...changes,
  };
  return { clients, simulation: new Simulation(run) };
}

/** Names of the counts that do not add up. */
async function wrongCounts(run: Simulation): Promise<string[]> {
  const tally = await run.run();
  return tally.checks().flatMap(({ name, expected, actual }) => (expected === actual ? [] : [name]));
}

describe("a simulation adds up", () => {
  test("with every kind of fault and several users, and the service holds exactly what was inserted", async () => {
    const run = simulation(plan({ shares: faultShares(0.35, new Map()) })).simulation;
    expect(await wrongCounts(run)).toEqual([]);
    expect(run.tally.inserted).toBe(fake.stored.size);
    expect(run.tally.quarantined).toBe(1200);
    expect(run.tally.duplicate).toBe(200);
    expect(run.tally.failed_jobs).toBe(2);
    expect(new Set(fake.requests.map((r) => r.headers.authorization)).size).toBe(3);
  });

  test("through refusals, faults of the service and lost connections: nothing doubles", async () => {
    const trouble: Scripted[] = ["drop", "drop-after", { status: 503 }, { status: 429 }, { status: 500 }];
    fake.script("ingest", ...trouble, ...trouble);
    fake.script("job", "drop", { status: 503 });
    fake.script("quarantine", { status: 503 });
    const { simulation: run, clients } = simulation(plan({ shares: faultShares(0.07, new Map()) }));
    expect(await wrongCounts(run)).toEqual([]);
    expect(fake.jobs.size).toBe(40);
    const summary = summarize(plan(), run.tally, clients, false);
    const { connection, ...byStatus } = summary.retries;
    expect(byStatus).toEqual({ "429": 2, "500": 2, "503": 4 });
    // The runtime itself may send again on a kept connection that turns out to be closed.
    expect(connection).toBeWithin(1, 6);
  });
});

describe("a count that is wrong is named", () => {
  test.each([
    ["one reading less inserted", { inserted_readings: -1 }, ["jobs that do not add up", "inserted"]],
    ["one duplicate too many", { duplicate_readings: 1 }, ["jobs that do not add up", "duplicate"]],
    [
      "a reading moved from inserted to quarantined",
      { inserted_readings: -1, quarantined_readings: 1 },
      ["inserted", "quarantined"],
    ],
    [
      "a reading that vanished from total and inserted",
      { total_readings: -1, inserted_readings: -1 },
      ["readings in jobs", "jobs that do not add up", "inserted"],
    ],
  ])("%s", async (_name, change, named) => {
    let tampered = false;
    fake.tamper = (record) => {
      if (tampered) return record;
      tampered = true;
      const changed = { ...record };
      for (const [field, by] of Object.entries(change)) changed[field as "total_readings"] += by as number;
      return changed;
    };
    const { simulation: run, clients } = simulation(plan());
    expect(await wrongCounts(run)).toEqual(named);
    const summary = summarize(plan(), run.tally, clients, false);
    expect(summary.ok).toBe(false);
    for (const name of named) expect(summaryText(summary)).toContain(`  ${name}: expected `);
  });

  test("a fault that the service lets through", async () => {
    const planned = plan({ shares: faultShares(0, new Map([["identical", 0.1]])) });
    fake.tamper = (r) => ({
      ...r,
      inserted_readings: r.inserted_readings + r.duplicate_readings,
      duplicate_readings: 0,
    });
    expect(await wrongCounts(simulation(planned).simulation)).toEqual(["inserted", "duplicate"]);
  });

  test("a batch that is refused, a job that fails and one that does not end", async () => {
    fake.script("ingest", { status: 400, body: { detail: "no" } });
    let failed = false;
    fake.tamper = (r) => {
      if (failed) return r;
      failed = true;
      return { ...r, status: "failed", error_message: "poison" };
    };
    const run = simulation(plan()).simulation;
    expect(await wrongCounts(run)).toEqual(["batches accepted", "readings accepted", "jobs failed"]);
    expect(run.tally.problems).toEqual([
      expect.stringMatching(/^batch \d+: batch \d+ was refused with 400: no$/),
      expect.stringMatching(/^batch \d+: job failed: poison$/),
    ]);
    await fake.stop();
    fake = await FakeService.start({ polls_until_done: 1_000_000 });
    const stuck = simulation(plan({ readings: 100 }), { wait_ms: 100 }).simulation;
    expect(await wrongCounts(stuck)).toContain("jobs ended");
    expect(stuck.tally.problems[0]).toContain("is still processing");
  });

  test("the run with its keys and stamps sent twice is not taken for a success", async () => {
    const planned = plan();
    expect(await wrongCounts(simulation(planned).simulation)).toEqual([]);
    expect(await wrongCounts(simulation(planned).simulation)).toEqual(["inserted", "duplicate"]);
  });
});

describe("the schedule", () => {
  test("sends no batch before its last reading has been measured", async () => {
    const run = simulation(plan({ rate: 5000, readings: 2000 })).simulation;
    const sent_ms: number[] = [];
    const sent = run.tally.sent.bind(run.tally);
    run.tally.sent = (batch, late_ms) => {
      sent_ms.push(run.elapsed_ms() - batch.due_ms);
      sent(batch, late_ms);
    };
    expect(await wrongCounts(run)).toEqual([]);
    expect(sent_ms).toHaveLength(20);
    // Timers of the runtime may fire up to 1 ms early.
    expect(Math.min(...sent_ms)).toBeGreaterThan(-2);
  });

  test("is kept while the service does not answer, and the lateness is told", async () => {
    // The first sends hang; with lanes for them all, the later batches go out all the same.
    fake.script("ingest", "hang", "hang");
    const run = simulation(plan({ users: 1, rate: 20_000, readings: 2000 })).simulation;
    const counts = wrongCounts(run);
    await until("all others are in", () => run.tally.accepted_batches === 18 && run.elapsed_ms() > 300);
    fake.release();
    expect(await counts).toEqual([]);
    expect(run.tally.accept.max).toBeGreaterThanOrEqual(250);

    fake.script("ingest", "hang");
    const plan_of_one_lane = plan({ users: 1, rate: 20_000, readings: 2000, seed: 2 });
    const narrow = simulation(plan_of_one_lane, { concurrency: 1 }).simulation;
    const late_counts = wrongCounts(narrow);
    await until("the only lane hangs", () => narrow.tally.sent_batches === 1 && narrow.elapsed_ms() > 400);
    fake.release();
    expect(await late_counts).toEqual([]);
    expect(narrow.tally.lateness.max).toBeGreaterThanOrEqual(250);
  });
});

describe("Ctrl-C", () => {
  test("stops sending, waits for open jobs, and what was sent adds up", async () => {
    const run = simulation(plan({ rate: 1000, readings: 1_000_000 })).simulation;
    const running = wrongCounts(run);
    await until("some batches are accepted", () => run.tally.accepted_batches >= 2);
    stop.abort();
    expect(await running).toEqual([]);
    expect(run.tally.sent_batches).toBeLessThan(10_000);
    expect(run.tally.ended_batches).toBe(run.tally.sent_batches);
  });

  test("ends sends that get no answer when the grace is over", async () => {
    const run = simulation(plan({ rate: 1000, readings: 1_000_000 }), { grace_ms: 50 }).simulation;
    fake.script("ingest", ...Array<"hang">(50).fill("hang"));
    const running = wrongCounts(run);
    await until("a batch is under way", () => run.tally.sent_batches >= 1);
    stop.abort();
    expect(await running).toContain("batches accepted");
  });

  test("twice leaves at once", async () => {
    const run = simulation(plan({ rate: 1000, readings: 1_000_000 }), { grace_ms: 60_000 }).simulation;
    fake.script("ingest", ...Array<"hang">(50).fill("hang"));
    const running = wrongCounts(run);
    await until("a batch is under way", () => run.tally.sent_batches >= 1);
    stop.abort();
    abandon.abort();
    expect(await running).toContain("batches accepted");
  });
});
