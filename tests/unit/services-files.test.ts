/** What a data folder keeps: state, password, logs; locks and ports. */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { logTail, sizeOf, trimLogs } from "../../src/services/bounded-log.ts";
import { choosePort, isPortFree } from "../../src/services/free-port.ts";
import { ProgramLock, waitForLock } from "../../src/services/program-lock.ts";
import { diskFull, errnoOf, explainFileError } from "../../src/services/services-error.ts";
import {
  type DataPaths,
  dataPaths,
  prepareFolders,
  readOrMakeSecret,
  readState,
  writeState,
} from "../../src/services/state-file.ts";

let paths: DataPaths;

beforeEach(async () => {
  paths = dataPaths(join(mkdtempSync(join(tmpdir(), "services-")), ".data"));
  await prepareFolders(paths);
});

afterEach(() => rmSync(join(paths.root, ".."), { recursive: true, force: true }));

describe("the state file", () => {
  test("comes back as it was written, readable by its owner only", async () => {
    const state = { version: 1 as const, redis: { kind: "local" as const, port: 20_123 } };
    await writeState(paths, state);
    expect(await readState(paths)).toEqual(state);
    expect(statSync(paths.state).mode & 0o777).toBe(0o600);
  });

  test.each(["", "{", "[]", '{"version":2}', '{"version":1,"redis":{"kind":"x","port":1}}'])(
    "counts as none when it says %p",
    async (text) => {
      writeFileSync(paths.state, text);
      expect(await readState(paths)).toEqual({ version: 1 });
    },
  );
});

describe("the password", () => {
  test("is made once, random, readable by its owner only", async () => {
    const secret = await readOrMakeSecret(paths);
    expect(secret).toMatch(/^[0-9a-f]{32}$/);
    expect(await readOrMakeSecret(paths)).toBe(secret);
    expect(statSync(paths.secret).mode & 0o777).toBe(0o600);
    rmSync(paths.secret);
    expect(await readOrMakeSecret(paths)).not.toBe(secret);
  });

  test("is never made anew for a database that the lost one opens", async () => {
    mkdirSync(paths.cluster);
    const lost = expect.objectContaining({ code: "secret-lost" });
    await expect(readOrMakeSecret(paths)).rejects.toEqual(lost);
    expect(existsSync(paths.secret)).toBe(false);
  });
});

describe("logs", () => {
  test("are cut beyond 8 MB with one older copy, and left alone below", async () => {
    const big = join(paths.run, "big.log");
    const small = join(paths.run, "small.log");
    writeFileSync(big, "x".repeat(8 * 1024 * 1024 + 1));
    writeFileSync(small, "y");
    await trimLogs([big, small, join(paths.run, "missing.log")]);
    expect([sizeOf(big), sizeOf(`${big}.1`), sizeOf(small)]).toEqual([0, 8 * 1024 * 1024 + 1, 1]);
  });

  test("the tail is the last lines since the given byte", async () => {
    const log = join(paths.run, "a.log");
    expect(await logTail(log)).toBe("(no output)");
    writeFileSync(log, "old\n1\n2\n3\n4\n5\n6\n7\n\n");
    expect(await logTail(log)).toBe("2\n3\n4\n5\n6\n7");
    expect(await logTail(log, 14)).toBe("6\n7");
    expect(await logTail(log, sizeOf(log))).toBe("(no output)");
  });
});

describe("locks between programs", () => {
  test("are shared by many or held by one", () => {
    const [a, b] = [new ProgramLock(join(paths.run, "l")), new ProgramLock(join(paths.run, "l"))];
    expect([a.tryShared(), b.tryShared()]).toEqual([true, true]);
    a.release();
    expect(a.tryExclusive()).toBe(false);
    b.release();
    expect(a.tryExclusive()).toBe(true);
    expect([b.tryShared(), b.tryExclusive()]).toEqual([false, false]);
    a.close();
    expect(b.tryShared()).toBe(true);
    b.close();
  });

  test("go with the process that holds them, also on kill -9", async () => {
    const path = join(paths.run, "l");
    const module = new URL("../../src/services/program-lock.ts", import.meta.url).pathname;
    const script = `const { ProgramLock } = await import(${JSON.stringify(module)});
      console.log(new ProgramLock(${JSON.stringify(path)}).tryExclusive()); setInterval(() => {}, 1000);`;
    await using holder = Bun.spawn([process.execPath, "-e", script], { stdout: "pipe", stderr: "ignore" });
    const { value } = await holder.stdout.getReader().read();
    expect(new TextDecoder().decode(value)).toBe("true\n");
    const lock = new ProgramLock(path);
    expect(lock.tryExclusive()).toBe(false);
    holder.kill("SIGKILL");
    await waitForLock(
      () => lock.tryExclusive(),
      30_000,
      () => undefined,
    );
    lock.close();
  });

  test("waiting ends at its deadline and tells once that it waits", async () => {
    let told = 0;
    const waiting = waitForLock(
      () => false,
      100,
      () => {
        told++;
      },
    );
    await expect(waiting).rejects.toEqual(expect.objectContaining({ code: "timeout" }));
    expect(told).toBe(1);
  });
});

describe("ports", () => {
  test("the remembered one is kept while it is free, and chosen again when it is taken", async () => {
    const first = await choosePort(undefined, []);
    expect(first).toBeWithin(20_000, 32_000);
    expect(await choosePort(first, [])).toBe(first);
    const taker = createServer();
    await new Promise<void>((done) => taker.listen(first, "127.0.0.1", done));
    expect(await isPortFree(first)).toBe(false);
    expect(await choosePort(first, [])).not.toBe(first);
    await new Promise((done) => taker.close(done));
    expect(await choosePort(first, [first])).not.toBe(first);
  });
});

describe("file system errors", () => {
  test.each([
    ["ENOSPC", "disk-full"],
    ["EDQUOT", "disk-full"],
    ["EACCES", "permission"],
    ["EROFS", "permission"],
  ])("%s is told as %s, with the folder and a remedy", (errno, code) => {
    const told = explainFileError(Object.assign(new Error("x"), { code: errno }), "/some/.data");
    expect(told).toMatchObject({ code, message: expect.stringContaining("/some/.data") });
    expect((told as { remedy: string }).remedy.length).toBeGreaterThan(20);
  });

  test("anything else stays what it is", () => {
    const errors = [new Error("a mistake"), new TypeError("b"), "text", undefined, diskFull("/x")];
    for (const error of errors) expect(explainFileError(error, "/x")).toBe(error);
    expect([errnoOf(null), errnoOf({ code: 5 }), errnoOf({ code: "EIO" })]).toEqual([
      undefined,
      undefined,
      "EIO",
    ]);
  });
});

test("the state survives a crash in the middle of writing: the file is replaced, never edited", async () => {
  await writeState(paths, { version: 1 });
  const inode = statSync(paths.state).ino;
  await writeState(paths, { version: 1, redis: { kind: "local", port: 1 } });
  expect(statSync(paths.state).ino).not.toBe(inode);
  expect(readFileSync(paths.state, "utf8")).toEndWith("}\n");
});
