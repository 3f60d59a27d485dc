/** The order of choice between given, local, Docker and embedded services. */
import { describe, expect, test } from "bun:test";
import { checkUrls } from "../../src/services/given-urls.ts";
import type { Finding } from "../../src/services/local-binaries.ts";
import { chooseSource, type Probes } from "../../src/services/selection.ts";
import { ServicesError } from "../../src/services/services-error.ts";
import { databaseAddress } from "../../src/store/tls/database-address.ts";

type Answers = Partial<Record<"local" | "docker" | "embedded", string>>;

/** Probes that find what `has` names and miss the rest; `asked` records the order of the questions. */
function probes(has: Answers): { asked: string[]; probes: Probes<string, string, string> } {
  const asked: string[] = [];
  const probe = (kind: keyof Answers) => async (): Promise<Finding<string>> => {
    asked.push(kind);
    const found = has[kind];
    return found === undefined ? { missing: `no ${kind}` } : { found };
  };
  return { asked, probes: { local: probe("local"), docker: probe("docker"), embedded: probe("embedded") } };
}

describe("the choice of a service", () => {
  test("a given URL wins, and nothing is looked for", async () => {
    const all = probes({ local: "l", docker: "d", embedded: "e" });
    const choice = await chooseSource("postgres", "postgres://h/db", "embedded", all.probes);
    expect(choice).toEqual({ kind: "given", url: "postgres://h/db", why: "given by DATABASE_URL" });
    expect(all.asked).toEqual([]);
  });

  test.each([
    [{ local: "l", docker: "d", embedded: "e" }, "local", ["local"]],
    [{ docker: "d", embedded: "e" }, "docker", ["local", "docker"]],
    [{ embedded: "e" }, "embedded", ["local", "docker", "embedded"]],
  ] as const)("of %o it takes %s, asking no further than needed", async (has, kind, asked) => {
    const given = probes(has);
    expect((await chooseSource("redis", undefined, undefined, given.probes)).kind).toBe(kind);
    expect(given.asked).toEqual([...asked]);
  });

  test("why says what was passed over", async () => {
    const choice = await chooseSource("redis", undefined, undefined, probes({ embedded: "e" }).probes);
    expect(choice.why).toBe("no local; no docker");
  });

  test("the source that holds the data comes first, even when a better one has appeared", async () => {
    const given = probes({ local: "l", docker: "d", embedded: "e" });
    const choice = await chooseSource("postgres", undefined, "embedded", given.probes);
    expect(choice).toEqual({ kind: "embedded", place: "e", why: "as at the last start" });
    expect(given.asked).toEqual(["embedded"]);
  });

  test("a remembered source that is gone is passed over in the usual order", async () => {
    const given = probes({ embedded: "e" });
    const choice = await chooseSource("postgres", undefined, "docker", given.probes);
    expect(choice).toEqual({ kind: "embedded", place: "e", why: "no docker; no local" });
    expect(given.asked).toEqual(["docker", "local", "embedded"]);
  });

  test.each([
    ["postgres", "DATABASE_URL", "timescaledb extension"],
    ["redis", "REDIS_URL", "valkey-server"],
  ] as const)(
    "without any way for %s the error names all reasons and the three ways out",
    async (service, variable, wanted) => {
      const error = await chooseSource(service, undefined, undefined, probes({}).probes).catch(
        (e: unknown) => e,
      );
      expect(error).toBeInstanceOf(ServicesError);
      const { code, message, remedy } = error as ServicesError;
      expect(code).toBe("no-way");
      expect(message).toContain("no local; no docker; no embedded");
      for (const way of [variable, wanted, "Docker"]) expect(remedy).toContain(way);
    },
  );
});

const NO_PEM = new URL("../../package.json", import.meta.url).pathname;
describe("given URLs", () => {
  test.each([
    { databaseUrl: "postgres://u:p@h:5432/d" },
    { databaseUrl: "postgresql://h/d", redisUrl: "rediss://h:6379/1" },
    {},
  ])("%o is accepted", (urls) => {
    expect(() => checkUrls(urls)).not.toThrow();
  });

  test.each([
    [{ databaseUrl: "mysql://h/d" }, "DATABASE_URL"],
    [{ databaseUrl: "not a url" }, "DATABASE_URL"],
    [{ redisUrl: "http://h" }, "REDIS_URL"],
  ])("%o is refused by name, and never printed: it may hold a password", (urls, name) => {
    const refuse = () => checkUrls(urls);
    expect(refuse).toThrow(expect.objectContaining({ code: "bad-url" }));
    expect(refuse).toThrow(new RegExp(`^${name} is not`));
    expect(refuse).not.toThrow(new RegExp(Object.values(urls)[0] ?? ""));
  });

  test.each([
    ["sslmode=always", "sslmode must be one of disable, prefer, require, verify-ca, verify-full"],
    [
      "sslmode=verify-full",
      "sslmode=verify-full needs sslrootcert: the path of the authority's certificate, or system",
    ],
    ["sslmode=verify-ca", "sslmode=verify-ca needs sslrootcert: the path of the authority's certificate"],
    ["sslmode=require&sslrootcert=system", "sslrootcert=system goes with sslmode=verify-full"],
    ["sslrootcert=/ca.pem", "certificates are given, but no sslmode that uses them"],
    ["sslmode=disable&sslkey=/k.pem", "certificates are given, but no sslmode that uses them"],
    ["sslmode=require&sslcert=/c.pem", "sslcert and sslkey must be given together"],
    ["sslmode=require&sslcrl=/crl.pem", "sslcrl is not supported"],
    ["sslmode=require&sslnegotiation=direct", "sslnegotiation is not supported"],
    [
      "sslmode=require&channel_binding=require",
      "channel_binding=require is not supported; use sslmode=verify-full",
    ],
    ["sslmode=verify-full&sslrootcert=/nowhere.pem", "/nowhere.pem cannot be read (ENOENT)"],
    [`sslmode=verify-full&sslrootcert=${NO_PEM}`, `${NO_PEM} holds no certificate in PEM`],
  ])("TLS that cannot be is refused before anything is connected: %s", (query, words) => {
    const refuse = () => checkUrls({ databaseUrl: `postgres://u:hidden@h/d?${query}` });
    expect(refuse).toThrow(expect.objectContaining({ code: "bad-url" }));
    expect(refuse).toThrow(`DATABASE_URL: ${words}`);
    expect(refuse).not.toThrow("hidden");
  });

  test("several hosts are refused: the drivers do not agree on which one takes writes", () => {
    for (const databaseUrl of ["postgres://u:p@a,b/d", "postgres://u:p@a:1,b:2/d"])
      expect(() => checkUrls({ databaseUrl })).toThrow("DATABASE_URL");
  });

  test("what libpq takes and needs nothing from us is accepted", () => {
    const databaseUrl =
      "postgres://u:p@h/d?sslmode=require&channel_binding=prefer&gssencmode=disable&application_name=x";
    expect(() => checkUrls({ databaseUrl })).not.toThrow();
    expect(databaseAddress(databaseUrl).url).toBe("postgres://u:p@h/d?application_name=x");
    expect(databaseAddress("postgres://u:p@h/d?sslrootcert=system").tls?.mode).toBe("verify-full");
  });
});
