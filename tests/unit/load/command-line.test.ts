/** The command line of `bun run load`: what it takes, what it refuses, and what it says without k6. */
import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { UsageError } from "../../../load/command-line.ts";
import { SCENARIO_NAMES } from "../../../load/k6/plan.ts";
import { findK6, HOW_TO_GET_K6 } from "../../../load/run/find-k6.ts";
import { readOptions } from "../../../load/run/options.ts";

const ROOT = join(import.meta.dir, "../../..");
const URL_OPTION = ["--url", "http://127.0.0.1:8000/"];
const SYSTEM = "550E8400-e29b-41d4-a716-446655440000";
const empty = mkdtempSync(join(tmpdir(), "load-"));
afterAll(() => rmSync(empty, { recursive: true }));

/** As its own process, where no k6 can be found. */
async function load(...args: string[]) {
  const env = { PATH: empty, HOME: empty };
  const child = Bun.spawn([process.execPath, "load/load.ts", ...args], {
    cwd: ROOT,
    env,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [out, err, code] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  return { code, out, err };
}

describe("options", () => {
  test("of a scenario alone: its own length, an own stack, a result for the record", () => {
    expect(readOptions(["steady"], {})).toEqual({
      scenario: "steady",
      seconds: 60,
      service: null,
      worker: false,
      save: true,
    });
  });

  test("of another length save nothing", () => {
    expect(readOptions(["soak", "--minutes", "10"], {})).toMatchObject({ seconds: 600, save: false });
    expect(readOptions(["steady", "--seconds", "60"], {})).toMatchObject({ seconds: 60, save: true });
    expect(readOptions(["steady", "--no-save"], {})).toMatchObject({ save: false });
  });

  test("of a service that runs: the feeders of a development start, given users, or tokens", () => {
    expect(readOptions(["smoke", ...URL_OPTION], {})?.service).toMatchObject({
      url: "http://127.0.0.1:8000",
      system_id: "550e8400-e29b-41d4-a716-446655440000",
      tokens: [],
    });
    expect(readOptions(["smoke", ...URL_OPTION], {})?.service?.users).toHaveLength(8);
    const named = ["smoke", ...URL_OPTION, "--username", "ann, bob", "--system", SYSTEM];
    expect(readOptions(named, { LOAD_PASSWORD: "secret" })?.service).toMatchObject({
      system_id: SYSTEM.toLowerCase(),
      users: [
        { username: "ann", password: "secret" },
        { username: "bob", password: "secret" },
      ],
    });
    expect(readOptions(["smoke", ...URL_OPTION], { LOAD_TOKENS: "a,b" })?.service).toMatchObject({
      users: [],
      tokens: ["a", "b"],
    });
  });

  test.each([
    [[], "which scenario? One of smoke"],
    [["smok"], 'there is no scenario "smok"'],
    [["smoke", "--fast"], "--fast"],
    [["smoke", "--seconds", "0"], "--seconds is a whole number from 1"],
    [["soak", "--minutes", "1.5"], "--minutes is a whole number from 1"],
    [["soak", "--minutes", "1", "--seconds", "1"], "not both"],
    [["smoke", "--url", "localhost:8000"], "--url is an http:// or https:// address"],
    [["smoke", "--username", "ann"], "--username is for a service that --url names"],
    [["smoke", ...URL_OPTION, "--system", "rig"], "--system is a UUID"],
    [["smoke", ...URL_OPTION, "--username", ","], "--username takes names"],
    [["smoke", ...URL_OPTION, "--worker"], "--worker is for the own stack"],
  ])("%j are refused with what is wrong", (args, message) => {
    expect(() => readOptions(args, {})).toThrow(UsageError);
    expect(() => readOptions(args, {})).toThrow(message);
  });

  test("users and tokens together are refused", () => {
    const args = ["smoke", ...URL_OPTION, "--username", "ann"];
    expect(() => readOptions(args, { LOAD_TOKENS: "a" })).toThrow("not both");
  });
});

describe("k6", () => {
  const nowhere = { env: { HOME: "/home/ann" }, which: () => null, isExecutable: () => false };
  const has = (path: string) => ({ ...nowhere, isExecutable: (asked: string) => asked === path });

  test("is what K6 names, on PATH, or where Go puts it", () => {
    expect(findK6({ ...has("/opt/k6"), env: { K6: "/opt/k6" }, which: () => "/usr/bin/k6" })).toBe("/opt/k6");
    expect(findK6({ ...nowhere, which: () => "/usr/bin/k6" })).toBe("/usr/bin/k6");
    expect(findK6(has("/home/ann/go/bin/k6"))).toBe("/home/ann/go/bin/k6");
    expect(findK6({ ...has("/go/bin/k6"), env: { GOPATH: "/go" } })).toBe("/go/bin/k6");
  });

  test("that K6 names but that is none is an error, whatever is on PATH", () => {
    expect(() => findK6({ ...nowhere, env: { K6: "/opt/k6" }, which: () => "/usr/bin/k6" })).toThrow(
      "K6=/opt/k6",
    );
  });

  test("that is nowhere: the command says how to get it and ends with 2, before it starts anything", async () => {
    expect(() => findK6(nowhere)).toThrow(HOW_TO_GET_K6);
    const { code, out, err } = await load("smoke");
    expect({ code, out, err }).toEqual({ code: 2, out: "", err: `${HOW_TO_GET_K6}\n` });
    expect(err).toContain("https://grafana.com/docs/k6/latest/set-up/install-k6/");
    expect(err).toContain("go install go.k6.io/k6@latest");
  });
});

test("--help lists every scenario with its length, and needs no k6", async () => {
  const { code, out } = await load("--help");
  expect(code).toBe(0);
  for (const name of SCENARIO_NAMES) expect(out).toMatch(new RegExp(`^  ${name} +\\d+ (s|min)  `, "m"));
});

test("a wrong command line ends with 2 and a message without a stack trace", async () => {
  const { code, err } = await load("smoke", "--seconds", "x");
  expect({ code, err }).toEqual({ code: 2, err: '--seconds is a whole number from 1, not "x"\n' });
});
