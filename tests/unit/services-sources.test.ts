/** Where programs come from: apt's sources and resolver, this machine's binaries, Docker, the account. */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chooseAccount, dropCandidates, parsePasswd } from "../../src/services/account.ts";
import { type CommandResult, runCommand } from "../../src/services/command.ts";
import {
  type ComposeSettings,
  composeArgv,
  composeProject,
  composeStop,
  composeUp,
  findCompose,
  isComposeRunning,
} from "../../src/services/compose.ts";
import {
  findDebianArchive,
  parseDeb822Sources,
  parseOneLineSources,
} from "../../src/services/embedded/apt-sources.ts";
import { machineSources, releaseCodename } from "../../src/services/embedded/debian-origin.ts";
import { parsePrintUris } from "../../src/services/embedded/private-apt.ts";
import { isNeeded } from "../../src/services/embedded/unpack.ts";
import { findLocalPostgres, findLocalRedis } from "../../src/services/local-binaries.ts";
import { postgresConf } from "../../src/services/postgres-config.ts";

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "sources-"));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** An executable shell script. */
function program(path: string, script: string): string {
  const file = join(folder, path);
  mkdirSync(join(file, ".."), { recursive: true });
  writeFileSync(file, `#!/bin/sh\n${script}\n`);
  chmodSync(file, 0o755);
  return file;
}

describe("apt's sources", () => {
  const DEB822 = `# the archive
Types: deb deb-src
URIs: http://mirror.example/debian https://second.example/debian
Suites: bookworm bookworm-updates
Components: main contrib
Signed-By: /usr/share/keyrings/a.gpg

Types: deb
Enabled: no
URIs: http://off.example/debian
Suites: bookworm
Components: main
`;

  test("of the deb822 style: every URI, without what is disabled", () => {
    const sources = parseDeb822Sources(DEB822);
    expect(sources.map(({ uri }) => uri)).toEqual([
      "http://mirror.example/debian",
      "https://second.example/debian",
    ]);
    expect(sources[0]).toMatchObject({
      suites: ["bookworm", "bookworm-updates"],
      components: ["main", "contrib"],
      signedBy: "/usr/share/keyrings/a.gpg",
    });
  });

  test("a key inside a source is unfolded", () => {
    const key = "-----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n mQINBF\n -----END PGP PUBLIC KEY BLOCK-----";
    const text = `Types: deb\nURIs: http://m.example/\nSuites: stable\nComponents: main\nSigned-By:\n ${key}\n`;
    expect(parseDeb822Sources(text)[0]?.signedBy).toBe(
      "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nmQINBF\n-----END PGP PUBLIC KEY BLOCK-----\n",
    );
  });

  test("of the one-line style, with options and comments", () => {
    const text =
      "# deb http://no.example x main\ndeb-src http://s.example x main\ndeb [arch=amd64 signed-by=/k.gpg] http://y.example trixie main # y\n";
    expect(parseOneLineSources(text)).toEqual([
      { uri: "http://y.example", suites: ["trixie"], components: ["main"], signedBy: "/k.gpg" },
    ]);
  });

  test.each([
    ["bookworm main", "http://m.example/debian", true],
    ["bookworm-security main", "http://m.example/security", false],
    ["bookworm contrib", "http://m.example/debian", false],
    ["nodistro main", "http://m.example/debian", false],
    ["stable main", "http://m.example/debian", true],
    ["bookworm main", "cdrom:[Debian]/", false],
    ["bookworm main", "mirror+file:/etc/apt/mirrors/debian.list", true],
  ])("%s from %s as the archive: %p", (rest, uri, wanted) => {
    const found = findDebianArchive(parseOneLineSources(`deb ${uri} ${rest}`), "bookworm");
    expect(found?.uri).toBe(wanted ? uri : undefined);
  });

  test("are read from a whole apt folder, and none is no error", async () => {
    expect(await machineSources(folder)).toEqual([]);
    mkdirSync(join(folder, "sources.list.d"));
    writeFileSync(join(folder, "sources.list"), "deb http://a.example bookworm main\n");
    writeFileSync(join(folder, "sources.list.d/b.sources"), DEB822);
    writeFileSync(join(folder, "sources.list.d/c.list"), "deb http://c.example x y\n");
    writeFileSync(join(folder, "sources.list.d/d.disabled"), "deb http://d.example x y\n");
    const hosts = (await machineSources(folder)).map(({ uri }) => new URL(uri).hostname);
    expect(hosts).toEqual(["a.example", "mirror.example", "second.example", "c.example"]);
  });

  test("the release's codename", async () => {
    writeFileSync(join(folder, "os-release"), 'ID=debian\nVERSION_CODENAME="bookworm"\n');
    expect(await releaseCodename(join(folder, "os-release"))).toBe("bookworm");
    expect(await releaseCodename(join(folder, "none"))).toBe("");
  });
});

test("apt's resolver output is read with epochs and names with underscores apart", () => {
  const output = `Reading package lists...
'http://m.example/p/redis-server_8.0.2-3%2bdeb13u3_amd64.deb' redis-server_5%3a8.0.2-3+deb13u3_amd64.deb 67364 SHA256:ab
'http://m.example/p/tzdata_2026f_all.deb' tzdata_2026f-0+deb13u1_all.deb 267528 SHA256:cd
`;
  expect(parsePrintUris(output)).toEqual([
    { name: "redis-server", version: "5:8.0.2-3+deb13u3", bytes: 67_364 },
    { name: "tzdata", version: "2026f-0+deb13u1", bytes: 267_528 },
  ]);
});

test("what programs run on is downloaded, what only scripts and the JIT need is not", () => {
  for (const name of ["postgresql-17", "libc6", "libicu76", "redis-tools", "libssl3t64", "tzdata"]) {
    expect([name, isNeeded(name)]).toEqual([name, true]);
  }
  for (const name of ["libllvm19", "perl-base", "libperl5.40", "locales", "debconf", "libjson-perl"]) {
    expect([name, isNeeded(name)]).toEqual([name, false]);
  }
});

describe("PostgreSQL on this machine", () => {
  function installation(major: number, { extension = true, initdb = true } = {}): string {
    const bin = `pg${major}/bin`;
    program(`${bin}/postgres`, `echo "postgres (PostgreSQL) ${major}.3 (Debian)"`);
    program(`${bin}/pg_config`, `echo "${join(folder, `pg${major}/share`)}"`);
    if (initdb) program(`${bin}/initdb`, "exit 0");
    if (extension) program(`pg${major}/share/extension/timescaledb.control`, "");
    return join(folder, bin);
  }

  test("the newest with the extension wins; the others are passed over with a reason", async () => {
    const folders = [
      installation(15),
      installation(18, { extension: false }),
      installation(17),
      installation(14),
    ];
    expect(await findLocalPostgres(undefined, folders)).toEqual({
      found: { binDir: folders[2] as string, major: 17 },
    });
  });

  test("only the version that wrote the data will do", async () => {
    const folders = [installation(16), installation(17)];
    expect(await findLocalPostgres(16, folders)).toEqual({
      found: { binDir: folders[0] as string, major: 16 },
    });
  });

  test.each([
    [14, {}, 14, "is older than 15"],
    [17, { extension: false }, undefined, "has no timescaledb extension"],
    [17, { initdb: false }, undefined, "has no initdb"],
    [17, {}, 16, "cannot open the data of PostgreSQL 16"],
  ] as const)("%i with %o for data of %p %s", async (major, parts, only, reason) => {
    const finding = await findLocalPostgres(only, [installation(major, parts), join(folder, "nothing")]);
    expect(finding).toEqual({ missing: expect.stringContaining(reason) });
  });

  test("none at all", async () => {
    expect(await findLocalPostgres(undefined, [folder])).toEqual({
      missing: "no PostgreSQL on this machine",
    });
  });
});

describe("Redis on this machine", () => {
  test("an old one is passed over for Valkey", async () => {
    const old = program("redis-server", 'echo "Redis server v=6.2.1 sha=0:0 malloc=jemalloc"');
    const valkey = program("valkey-server", 'echo "Valkey server v=8.1.1 sha=0:0"');
    expect(await findLocalRedis([old, valkey])).toEqual({ found: { server: valkey, major: 8 } });
    expect(await findLocalRedis([old])).toEqual({ missing: `${old} is older than 7` });
    expect(await findLocalRedis([])).toEqual({ missing: "no redis-server or valkey-server" });
  });
});

describe("Docker", () => {
  const settings: ComposeSettings = {
    dataDir: "/clone/.data",
    secret: "s",
    postgresPort: 20_001,
    redisPort: 20_002,
    durability: "always",
  };
  const answer = (code: number, text = ""): CommandResult => ({ code, stdout: text, stderr: text });
  const only =
    (...working: string[]) =>
    async (argv: readonly string[]) =>
      answer(working.some((start) => argv.join(" ").startsWith(start)) ? 0 : 1);

  test("counts only with a daemon that answers and a compose command", async () => {
    expect(await findCompose(only("docker info", "docker compose version"))).toEqual({
      found: ["docker", "compose"],
    });
    expect(await findCompose(only("docker info", "docker-compose version"))).toEqual({
      found: ["docker-compose"],
    });
    expect(await findCompose(only("docker compose version"))).toEqual({
      missing: "no Docker daemon can be reached",
    });
    expect(await findCompose(only("docker info"))).toHaveProperty(
      "missing",
      expect.stringContaining("plugin"),
    );
  });

  test("is called with the settings of the clone, and each clone is a project of its own", () => {
    const argv = composeArgv(["docker", "compose"], settings, ["stop", "redis"]).join(" ");
    expect(argv).toStartWith(
      "env HYDRAULIC_SECRET=s HYDRAULIC_POSTGRES_PORT=20001 HYDRAULIC_REDIS_PORT=20002",
    );
    expect(argv).toContain(
      `HYDRAULIC_APPENDFSYNC=always docker compose -p ${composeProject("/clone/.data")} -f /`,
    );
    expect(argv).toEndWith("deploy/compose.dev.yaml stop redis");
    expect(composeProject("/other/.data")).not.toBe(composeProject("/clone/.data"));
  });

  test("failures carry compose's own words and a way out", async () => {
    const fails = async () => answer(1, "a\nport is already allocated");
    const up = composeUp(["docker", "compose"], settings, ["postgres"], fails);
    await expect(up).rejects.toMatchObject({
      code: "start-failed",
      message: expect.stringContaining("port is already allocated"),
      remedy: expect.stringContaining("DATABASE_URL"),
    });
    const stop = composeStop(["docker", "compose"], settings, ["postgres"], fails);
    await expect(stop).rejects.toMatchObject({
      code: "still-running",
      remedy: expect.stringContaining("stop"),
    });
  });

  test("a container runs when compose lists it", async () => {
    const listed = (text: string) =>
      isComposeRunning(["docker"], settings, "redis", async () => answer(0, text));
    expect([await listed("4f2a\n"), await listed("\n")]).toEqual([true, false]);
  });

  test("what works resolves", async () => {
    const works = async () => answer(0);
    await composeUp(["docker", "compose"], settings, ["postgres", "redis"], works);
    await composeStop(["docker", "compose"], settings, ["redis"], works);
  });
});

describe("the account of root's instances", () => {
  const nobody = { name: "nobody", uid: 65_534, gid: 65_534 };

  test("passwd is read without broken lines", () => {
    const text =
      "root:x:0:0:root:/root:/bin/sh\n\n+::::::\nnobody:x:65534:65534:nobody:/:/usr/sbin/nologin\n";
    expect(parsePasswd(text)).toEqual([{ name: "root", uid: 0, gid: 0 }, nobody]);
  });

  test("needs no capability where the folder can be reached, and the weaker one first where not", () => {
    const reachable = dropCandidates("setpriv", nobody, true).map((argv) => argv.join(" "));
    expect(reachable[0]).not.toContain("+");
    expect(reachable.slice(1)).toEqual(
      dropCandidates("setpriv", nobody, false).map((argv) => argv.join(" ")),
    );
    expect(reachable[1]).toContain("--ambient-caps=-all,+dac_read_search --securebits=+no_setuid_fixup");
    expect(reachable[2]).toContain("dac_override");
    for (const argv of reachable)
      expect(argv).toStartWith("setpriv --reuid=65534 --regid=65534 --clear-groups");
  });

  test("an ordinary user stays who he is", async () => {
    const account = await chooseAccount(folder);
    if (process.getuid?.() === 0) expect(account.prefix[0]).toEndWith("setpriv");
    else expect(account).toEqual({ owner: undefined, prefix: [] });
  });
});

describe("commands", () => {
  test("give code and both streams; what cannot be started is 127, what a signal ended 128", async () => {
    const run = (script: string) => runCommand(["sh", "-c", script], { deadlineMs: 30_000 });
    expect(await run("echo a; echo b >&2; exit 3")).toEqual({ code: 3, stdout: "a\n", stderr: "b\n" });
    expect((await run("kill -9 $$")).code).toBe(128);
    expect((await runCommand([join(folder, "none")], { deadlineMs: 30_000 })).code).toBe(127);
  });

  test("are killed at their deadline", async () => {
    const late = runCommand(["sh", "-c", "exec sleep 30"], { deadlineMs: 50 });
    await expect(late).rejects.toMatchObject({ code: "timeout" });
  });
});

test("PostgreSQL's settings follow the memory within bounds and never give up durability", () => {
  const GIB = 1024 ** 3;
  const buffers = (bytes: number) => /shared_buffers = '(\d+)MB'/.exec(postgresConf({ port: 1 }, bytes))?.[1];
  expect([buffers(GIB / 2), buffers(4 * GIB), buffers(64 * GIB)]).toEqual(["128", "512", "1024"]);
  const conf = postgresConf({ port: 20_005 });
  expect(conf).toContain("port = 20005\n");
  expect(conf).toContain("listen_addresses = '127.0.0.1'\n");
  expect(conf).not.toMatch(/^(fsync|synchronous_commit|full_page_writes)/m);
});
