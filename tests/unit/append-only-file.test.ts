/** After Redis could not write its append-only file, the file is written anew as soon as it can: once, by whoever is first. */
import { beforeEach, expect, test } from "bun:test";
import { type Redis, ReplyError } from "ioredis";
import { createLogger } from "../../src/ops/log.ts";
import { AppendOnlyFile } from "../../src/stream/append-only-file.ts";
import { StreamUnavailableError } from "../../src/stream/connection.ts";

/** A server that says of itself what a test wants. */
class Server {
  readonly options = { host: "127.0.0.1", port: 6379 };
  enabled = 1;
  status = "ok";
  rewriting = 0;
  rewrites = 3;
  asked = 0;
  answer: Error | null = null;
  isAway = false;

  refusals = 0;
  snapshot = "ok";

  async call(...command: string[]): Promise<string> {
    expect(command).toEqual(["INFO", "persistence", "errorstats"]);
    if (this.isAway) throw new Error("Connection is closed.");
    const errors =
      this.refusals > 0 ? `errorstat_ERR:count=7\r\nerrorstat_MISCONF:count=${this.refusals}\r\n` : "";
    return `# Persistence\r\naof_enabled:${this.enabled}\r\naof_rewrite_in_progress:${this.rewriting}\r\naof_rewrite_scheduled:0\r\naof_last_write_status:${this.status}\r\nrdb_last_bgsave_status:${this.snapshot}\r\naof_rewrites:${this.rewrites}\r\n# Errorstats\r\n${errors}`;
  }

  async bgrewriteaof(): Promise<string> {
    this.asked += 1;
    if (this.answer) throw this.answer;
    this.rewrites += 1;
    this.rewriting = 1;
    return "Background append only file rewriting started";
  }
}

let server: Server;
let file: AppendOnlyFile;
let lines: string[];
beforeEach(() => {
  server = new Server();
  lines = [];
  const into = { write: (line: string) => lines.push(line) > 0 } as unknown as NodeJS.WritableStream;
  file = new AppendOnlyFile(
    server as unknown as Redis,
    createLogger({ level: "info", format: "json" }, into),
  );
});

const told = () => lines.map((line) => (JSON.parse(line) as { msg: string }).msg);

test("a Redis that can write is left alone", async () => {
  for (let i = 0; i < 5; i += 1) await file.look();
  expect({ asked: server.asked, told: told() }).toEqual({ asked: 0, told: [] });
});

test("not while it cannot write, once when it can, and not again", async () => {
  server.status = "err";
  for (let i = 0; i < 3; i += 1) await file.look();
  expect(server.asked).toBe(0);
  server.status = "ok";
  for (let i = 0; i < 3; i += 1) await file.look();
  server.rewriting = 0;
  for (let i = 0; i < 3; i += 1) await file.look();
  expect(server.asked).toBe(1);
  expect(told()).toEqual([
    "Redis could not write its append-only file",
    "Redis writes again; its append-only file may have a hole, and is written anew",
  ]);
  server.status = "err";
  await file.look();
  server.status = "ok";
  await file.look();
  expect(server.asked).toBe(2);
});

test("a rewrite that began before is waited for and does not count", async () => {
  server.status = "err";
  server.rewriting = 1;
  await file.look();
  server.status = "ok";
  await file.look();
  expect(server.asked).toBe(0);
  server.rewriting = 0;
  await file.look();
  expect(server.asked).toBe(1);
});

test("a rewrite that another worker began since, and a Redis that was started anew, need no other one", async () => {
  for (const rewrites of [4, 0]) {
    server.status = "err";
    server.rewriting = 1;
    server.rewrites = 3;
    await file.look();
    server.status = "ok";
    await file.look();
    server.rewrites = rewrites;
    server.rewriting = 0;
    await file.look();
    await file.look();
  }
  expect(server.asked).toBe(0);
});

test("it fails anew before the file is whole: then it is written anew after that", async () => {
  server.status = "err";
  await file.look();
  server.status = "ok";
  server.rewriting = 1;
  await file.look();
  server.status = "err";
  server.rewrites = 4;
  server.rewriting = 0;
  await file.look();
  server.status = "ok";
  await file.look();
  expect(server.asked).toBe(1);
});

test("a moment that nobody saw is known by the commands that were refused in it, also from before the first look", async () => {
  server.refusals = 2;
  await file.look();
  await file.look();
  expect(server.asked).toBe(1);
  server.rewriting = 0;
  for (let i = 0; i < 3; i += 1) await file.look();
  expect(server.asked).toBe(1);
  server.refusals = 3;
  await file.look();
  await file.look();
  expect(server.asked).toBe(2);
});

test("refusals for failing snapshots, and a count that begins anew, are no reason", async () => {
  server.snapshot = "err";
  server.refusals = 5;
  for (let i = 0; i < 3; i += 1) await file.look();
  server.snapshot = "ok";
  server.refusals = 0;
  for (let i = 0; i < 3; i += 1) await file.look();
  expect(server.asked).toBe(0);
});

test("who may not ask for it says once what somebody else has to do, and goes on asking", async () => {
  server.answer = new ReplyError("NOPERM User default has no permissions to run the 'bgrewriteaof' command");
  server.status = "err";
  await file.look();
  server.status = "ok";
  for (let i = 0; i < 3; i += 1) await file.look();
  expect(server.asked).toBe(3);
  expect(told().filter((line) => line.includes("BGREWRITEAOF is needed"))).toHaveLength(1);
});

test("without an append-only file there is nothing to do; without Redis it is said that nobody can look", async () => {
  server.enabled = 0;
  server.status = "err";
  await file.look();
  server.status = "ok";
  await file.look();
  expect({ asked: server.asked, told: told() }).toEqual({ asked: 0, told: [] });
  server.isAway = true;
  expect(file.look()).rejects.toThrow(StreamUnavailableError);
});
