import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ImportSummary } from "../../../src/feed/import/summary.ts";
import type { SimulationSummary } from "../../../src/feed/simulate/summary.ts";
import { FakeService } from "../../support/fake-service.ts";
import { until } from "../../support/until.ts";

const PROGRAM = join(import.meta.dir, "../../support/feed-cli.ts");

let fake: FakeService;
let folder: string;
beforeEach(async () => {
  fake = await FakeService.start();
  folder = await mkdtemp(join(tmpdir(), "hydraulic-command-"));
});
afterEach(async () => {
  await fake.stop();
  await rm(folder, { recursive: true });
});

function start(...args: string[]) {
  return Bun.spawn([process.execPath, PROGRAM, ...args], { stdout: "pipe", stderr: "pipe", timeout: 60_000 });
}

async function run(...args: string[]) {
  const program = start(...args);
  const [out, err, status] = await Promise.all([
    new Response(program.stdout).text(),
    new Response(program.stderr).text(),
    program.exited,
  ]);
  return { out, err, status };
}

async function file(name: string, content: string): Promise<string> {
  await Bun.write(join(folder, name), content);
  return join(folder, name);
}

describe("simulate", () => {
  const quick = () => ["simulate", "--url", fake.url, "--rate", "50000", "--readings", "2000"];

  test("ends with 0 and every figure when all counts add up", async () => {
    const { out, status } = await run(...quick(), "--users", "4", "--faults", "0.1");
    expect(status).toBe(0);
    for (const text of [
      "sent",
      "accepted",
      "inserted",
      "duplicate",
      "quarantined",
      "invalid_unit",
      "rows/s",
    ]) {
      expect(out).toContain(text);
    }
    expect(out).toContain("accept to committed   p50 ");
    expect(out).toEndWith("Every count adds up.\n");
  });

  test("prints one JSON object for machines", async () => {
    const { out, status } = await run(
      ...quick(),
      "--json",
      "--fault",
      "invalid_unit=0.05",
      "--fault",
      "identical=0.1",
    );
    const summary = JSON.parse(out) as SimulationSummary;
    expect(status).toBe(0);
    expect(summary).toMatchObject({ ok: true, inserted: 1700, duplicate: 200, interrupted: false });
    expect(summary.quarantined.invalid_unit).toEqual({ injected: 100, actual: 100 });
  });

  test("ends with 1 and names the count that is wrong", async () => {
    fake.tamper = (record) => ({ ...record, inserted_readings: record.inserted_readings - 1 });
    const { out, status } = await run(...quick());
    expect(status).toBe(1);
    expect(out).toContain("These counts do not add up:\n  jobs that do not add up: expected 0, actual 20\n");
    expect(out).toContain("  inserted: expected 2,000, actual 1,980\n");
  });

  test("sends the same batches again with the same seed and start", async () => {
    const sent = async () => {
      const before = fake.requests.length;
      await run(...quick(), "--start", "2026-01-01T00:00:00Z", "--faults", "0.1", "--users", "2");
      const ingested = fake.requests.slice(before).filter((request) => request.route === "ingest");
      return ingested.map((request) => request.body).sort();
    };
    const first = await sent();
    expect(first).toHaveLength(20);
    expect(await sent()).toEqual(first);
  });

  test("stops at the first Ctrl-C and adds up what was sent", async () => {
    const program = start("simulate", "--url", fake.url, "--rate", "1000", "--duration", "600");
    await until("some batches are sent", () => fake.count("ingest") >= 3);
    program.kill("SIGINT");
    expect(await program.exited).toBe(0);
    const out = await new Response(program.stdout).text();
    expect(out).toStartWith("Interrupted");
    expect(out).toEndWith("Every count adds up.\n");
  });

  test("says what is wrong when it cannot log in", async () => {
    const refused = await run(...quick(), "--password", "wrong");
    expect(refused).toMatchObject({ status: 1, out: "" });
    expect(refused.err).toContain('refuses the login of "feeder-1"');
    await fake.stop();
    const silent = await run(...quick(), "--retry-for", "1");
    expect(silent.status).toBe(1);
    expect(silent.err).toContain("no answer within 1 s");
    fake = await FakeService.start();
  });

  test.each([
    [["--fault", "bad=0.1"], "The kinds are parse_error"],
    [["--fault", "duplicate=2"], "from 0 to 1"],
    [["--rate", "fast"], "must be a number"],
    [["--users", "9"], "from 1 to 8"],
    [["--batch", "10001"], "from 1 to 10000"],
    [["--duration", "1", "--readings", "5"], "cannot be used with"],
    [["--start", "yesterday"], "It must be like"],
    [["--url", "localhost"], "http:// or https://"],
    [["--system", "17"], "must be a UUID"],
  ])("refuses %p", async (args, text) => {
    const { err, status } = await run("simulate", ...args);
    expect(status).toBeGreaterThan(0);
    expect(err).toContain(text);
  });

  test("refuses options that do not fit together with status 2", async () => {
    const twice = await run(...quick(), "--faults", "0.9", "--fault", "duplicate=0.5");
    expect(twice).toMatchObject({ status: 2, out: "" });
    const both = await run(...quick(), "--password", "a", "--password-file", "b");
    expect(both.status).toBe(2);
    expect(both.err).toContain("not both");
  });
});

describe("import", () => {
  const rows = Array.from({ length: 100 }, (_, i) => `${i};${100 + i},5;40`).join("\n");
  const args = [
    "--seconds",
    "t",
    "--start",
    "2026-01-01T00:00:00Z",
    "--decimal-comma",
    "--column",
    "PS1=bar",
  ];

  test("loads a file by flags alone, with a password from a file", async () => {
    const data = await file("rig.csv", `t;PS1;TS1\n${rows}\n`);
    const secret = await file("secret", "password\n");
    const { out, err, status } = await run(
      ...["import", data, "--url", fake.url, "--username", "feeder-3", "--password-file", secret],
      ...[...args, "--column", "TS1=°C", "--sensor", "TS1=550e8400-e29b-41d4-a716-4466554400aa"],
    );
    expect({ err, status }).toEqual({ err: "", status: 0 });
    expect(out).toContain("readings sent         200 in 1 batches");
    expect(out).toEndWith("Every reading is stored.\n");
    expect(fake.stored.get("550e8400-e29b-41d4-a716-4466554400aa|1767225600000000")).toBe(40);
  });

  test("ends with 1 when something was quarantined, unless that is allowed, and reports every line", async () => {
    const data = await file("rig.csv", `t;PS1;note\n${rows}\n100;900;x\n`);
    const report = join(folder, "report.tsv");
    const common = ["import", data, "--url", fake.url, ...args, "--report", report];
    const strict = await run(...common);
    expect(strict.status).toBe(1);
    expect(strict.err).toContain("Not imported: column note\n");
    expect(strict.err).toContain("line 102, PS1: out_of_range: ");
    const lines = (await Bun.file(report).text()).trimEnd().split("\n");
    expect(lines).toHaveLength(2);
    expect(lines[1]).toStartWith("102\t102\tPS1\tout_of_range\t");
    const lenient = await run(...common, "--allow-quarantined", "--json");
    expect(lenient.status).toBe(0);
    const summary = JSON.parse(lenient.out) as ImportSummary;
    expect(summary.counts).toMatchObject({ readings: 101, quarantined: 1, replayed_batches: 1 });
  });

  test("says with status 2 what does not fit", async () => {
    const data = await file("rig.csv", `t;PS1;note\n${rows}\n`);
    for (const [wrong, text] of [
      [["import", join(folder, "none.csv"), ...args], "none.csv cannot be read"],
      [["import", data, "--column", "PS1=bar"], "say where the time is"],
      [["import", data, ...args, "--column", "PS7=bar"], 'no column "PS7"'],
      [["import", data, "--mapping", join(folder, "none.json")], "cannot be read"],
      [["import", data, ...args, "--report", join(folder, "no", "report")], "cannot be written"],
    ] as const) {
      const { err, status, out } = await run(...wrong, "--url", fake.url);
      expect({ status, out }).toEqual({ status: 2, out: "" });
      expect(err).toContain(text);
    }
  });
});
