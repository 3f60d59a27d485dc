/** The order of choice between given, local, Docker and embedded services. */
import { describe, expect, test } from "bun:test";
import { checkUrls } from "../../src/services/given-urls.ts";
import type { Finding } from "../../src/services/local-binaries.ts";
import { chooseSource, type Probes } from "../../src/services/selection.ts";
import { ServicesError } from "../../src/services/services-error.ts";

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
});
