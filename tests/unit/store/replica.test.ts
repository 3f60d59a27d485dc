/** A replica is asked only while it is surely near enough, and what fails there is the primary's to answer. */
import { describe, expect, test } from "bun:test";
import pg from "pg";
import { createLogger } from "../../../src/ops/log.ts";
import { StoreUnavailableError } from "../../../src/store/errors.ts";
import {
  QueryAbortedError,
  QueryBusyError,
  QueryTimeoutError,
} from "../../../src/store/queries/query-errors.ts";
import type { QueryOptions, RowReader, Statement } from "../../../src/store/queries/reader.ts";
import { Subjects, UnknownSensorsError } from "../../../src/store/queries/subjects.ts";
import { ReplicaLag } from "../../../src/store/replica/replica-lag.ts";
import { ReplicaWatch } from "../../../src/store/replica/replica-watch.ts";
import { RoutedReader } from "../../../src/store/replica/routed-reader.ts";
import { until } from "../../support/until.ts";

const quiet = createLogger({ level: "error", format: "json" });
const STATEMENT: Statement = { label: "x", text: "SELECT 1", values: [] };

describe("the lag", () => {
  test("is not known before the replica has reached a place of the primary", () => {
    const lag = new ReplicaLag();
    expect([lag.behind_ms, lag.asOf_ms]).toEqual([null, null]);
    lag.primaryAt(100, 1_000);
    lag.replicaAt(99);
    expect([lag.behind_ms, lag.asOf_ms]).toEqual([null, null]);
    lag.replicaAt(100);
    expect([lag.behind_ms, lag.asOf_ms]).toEqual([0, 1_000]);
  });

  test("grows while the primary goes on and the replica does not, and ends when it has caught up", () => {
    const lag = new ReplicaLag();
    for (const n of [1, 2, 3, 4]) lag.primaryAt(n * 100, n * 1_000);
    lag.replicaAt(150);
    expect([lag.behind_ms, lag.asOf_ms]).toEqual([3_000, 1_000]);
    lag.replicaAt(399);
    expect([lag.behind_ms, lag.asOf_ms]).toEqual([1_000, 3_000]);
    lag.replicaAt(400);
    expect([lag.behind_ms, lag.asOf_ms]).toEqual([0, 4_000]);
  });

  test("is none on an idle primary, however long nothing is written", () => {
    const lag = new ReplicaLag();
    for (let at_ms = 0; at_ms <= 3_600_000; at_ms += 500) {
      lag.primaryAt(100, at_ms);
      lag.replicaAt(100);
    }
    expect([lag.behind_ms, lag.asOf_ms]).toEqual([0, 3_600_000]);
  });

  test("stays right over days of a replica that hangs, in bounded memory", () => {
    const lag = new ReplicaLag();
    lag.primaryAt(1, 0);
    lag.replicaAt(1);
    for (let n = 1; n <= 20_000; n += 1) lag.primaryAt(1 + n, n * 500);
    expect(lag.behind_ms).toBe(10_000_000);
    lag.replicaAt(20_001);
    expect(lag.behind_ms).toBe(0);
  });
});

/** Answers from a list, or throws what is in it; the last one for ever. */
function reader(...answers: (object[] | Error)[]): RowReader & { asked: number; options: QueryOptions[] } {
  let at = 0;
  return {
    asked: 0,
    options: [],
    async rows<R extends object>(_: Statement, options: QueryOptions = {}): Promise<R[]> {
      this.asked += 1;
      this.options.push(options);
      const answer = answers[Math.min(at, answers.length - 1)]!;
      at += 1;
      if (answer instanceof Error) throw answer;
      return answer as R[];
    },
  };
}

describe("the watch", () => {
  const clock = { now_ms: () => Date.now(), monotonic_ms: () => performance.now() };
  const place = (lsn: number | null, standby = true, system = "7") => [{ lsn, standby, system }];
  async function stateOf(primary: RowReader, replica: RowReader, wanted: string): Promise<void> {
    const watch = new ReplicaWatch({ max_lag_ms: 30, interval_ms: 5 }, primary, replica, clock, quiet);
    watch.start();
    try {
      await until(`the state is ${wanted}`, () => watch.health.state === wanted);
      expect(watch.asOf_ms === null).toBe(wanted !== "up");
    } finally {
      await watch.stop();
    }
  }

  test("says up for a standby that has what the primary has", () =>
    stateOf(reader(place(9)), reader(place(9)), "up"));
  test("says behind for one that has stopped replaying", () =>
    stateOf(reader(place(9), place(10)), reader(place(9)), "behind"));
  test("says away for one that does not answer", () =>
    stateOf(reader(place(9)), reader(place(9), new StoreUnavailableError("gone")), "away"));
  test("says foreign for a server that is no standby", () =>
    stateOf(reader(place(9)), reader(place(9, false)), "foreign"));
  test("says foreign for a standby of another primary", () =>
    stateOf(reader(place(9)), reader(place(9, true, "8")), "foreign"));
  test("goes on with the replica while the primary is away", async () => {
    await stateOf(reader(place(9), new StoreUnavailableError("gone")), reader([], place(9)), "up");
  });
});

describe("a question", () => {
  const up = { asOf_ms: 1_000, health: { state: "up", lag_ms: 0 }, lost: () => undefined } as const;
  const behind = {
    asOf_ms: null,
    health: { state: "behind", lag_ms: 9_000 },
    lost: () => undefined,
  } as const;
  function routed(
    primary: RowReader,
    replica: RowReader,
    watch: Pick<ReplicaWatch, "asOf_ms" | "health" | "lost"> = up,
  ) {
    const counted: string[] = [];
    const counts = {
      answered: () => counted.push("replica"),
      fellBack: (reason: string) => counted.push(reason),
    };
    return { counted, ask: new RoutedReader(primary, replica, watch, counts, quiet) };
  }
  const [OLD, NEW] = [[{ from: "replica" }], [{ from: "primary" }]];

  test("is answered by the replica, and its age is told", async () => {
    const primary = reader(NEW);
    const { ask, counted } = routed(primary, reader(OLD));
    let told = 0;
    expect(await ask.rows<object>(STATEMENT, { onReplica: (at_ms) => (told = at_ms) })).toEqual(OLD);
    expect([told, primary.asked, counted]).toEqual([1_000, 0, ["replica"]]);
  });

  test("that must be fresh is the primary's, and so is any while the replica is behind", async () => {
    const replica = reader(OLD);
    const fresh = routed(reader(NEW), replica);
    expect(await fresh.ask.rows<object>(STATEMENT, { isFresh: true })).toEqual(NEW);
    const late = routed(reader(NEW), replica, behind);
    expect(await late.ask.rows<object>(STATEMENT)).toEqual(NEW);
    expect([replica.asked, fresh.counted, late.counted]).toEqual([0, [], ["behind"]]);
  });

  const database = (code: string) => Object.assign(new pg.DatabaseError("said", 4, "error"), { code });
  const unavailable = (cause: unknown) => new StoreUnavailableError("away", { cause });
  test.each([
    ["recovery cancelled it", unavailable(database("40001")), "conflict"],
    ["the connection is lost", unavailable(new Error("reset")), "away"],
    ["the replica is starting", unavailable(database("57P03")), "away"],
    ["a migration is not replayed yet", database("42703"), "error"],
  ])("is asked again of the primary: %s", async (_, error, reason) => {
    let lost = 0;
    const lose = () => {
      lost += 1;
    };
    const { ask, counted } = routed(reader(NEW), reader(error), { ...up, lost: lose });
    expect(await ask.rows<object>(STATEMENT)).toEqual(NEW);
    expect([counted, lost]).toEqual([[reason], reason === "away" ? 1 : 0]);
  });

  test.each([new QueryBusyError("full"), new QueryTimeoutError("x", 1, null), new QueryAbortedError()])(
    "is not asked twice after %o",
    async (error) => {
      const primary = reader(NEW);
      expect(routed(primary, reader(error)).ask.rows(STATEMENT)).rejects.toBe(error);
      expect(primary.asked).toBe(0);
    },
  );

  test("about a sensor that the replica does not know is asked of the primary before it is denied", async () => {
    const row = { system_id: "s", id: "a", name: "n", quantity: "q", unit: "u", expected_rate_hz: null };
    const primary = reader([row], [{ ...row, id: null }]);
    const { ask } = routed(primary, reader([{ ...row, id: null }]));
    expect((await new Subjects(ask).sensor("s", "a")).name).toBe("n");
    expect(new Subjects(ask).sensor("s", "a")).rejects.toBeInstanceOf(UnknownSensorsError);
    expect(primary.asked).toBe(2);
  });
});
