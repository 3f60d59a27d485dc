/**
 * Each kind of connection keeps to what its URL asks of TLS: the four ways to PostgreSQL mean the same, none goes on in
 * plain text, and what is wrong with a certificate is said.
 */
import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { DedicatedSession } from "../../../src/store/dedicated-session.ts";
import { updateExtension } from "../../../src/store/edition.ts";
import { classify } from "../../../src/store/errors.ts";
import { migrate } from "../../../src/store/migrate.ts";
import { Database } from "../../../src/store/pool.ts";
import { Reader } from "../../../src/store/queries/reader.ts";
import { ScratchSchema } from "../../../src/store/scratch.ts";
import { WriterConnection } from "../../../src/store/writer/connection.ts";
import {
  ready,
  requestClient,
  StreamUnavailableError,
  serverClient,
  subscriberClient,
  workClient,
} from "../../../src/stream/connection.ts";
import { withTlsFiles } from "../../../src/stream/redis-tls.ts";
import { locked } from "../../support/authority.ts";
import { TlsServices } from "../../support/fault/tls-services.ts";
import { MIGRATIONS } from "../../support/test-services.ts";

const TEST_MS = 240_000;
/** What OpenSSL says of a chain that ends at no authority it knows; which of both depends on what the server sends. */
const NOT_TRUSTED = /UNABLE_TO_VERIFY|SELF_SIGNED/;
let services: TlsServices;
let database: string;
beforeAll(async () => {
  services = await TlsServices.start();
  ({ database } = await services.fresh());
}, 180_000);
afterEach(() => services.present(services.good()));
afterAll(() => services.close(), TEST_MS);

/** Whether this session of the server is encrypted, asked through each of our ways to connect. */
const IS_ENCRYPTED = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
type Way = (url: string) => Promise<boolean | undefined>;
const WAYS: Readonly<Record<string, Way>> = {
  async pool(url) {
    const pool = new Database({ url, size: 1, query_deadline_ms: 20_000 });
    try {
      const [row] = await pool.run("look", (sql) => sql.unsafe<{ ssl: boolean }[]>(IS_ENCRYPTED));
      return row?.ssl;
    } finally {
      await pool.close(1);
    }
  },
  async writer(url) {
    const writer = new WriterConnection({ url, application_name: "writer", deadline_ms: 20_000 });
    try {
      const [row] = await writer.transaction((tx) => tx.query<{ ssl: boolean }>(IS_ENCRYPTED));
      return row?.ssl;
    } finally {
      await writer.close();
    }
  },
  async session(url) {
    const settings = { url, application_name: "session", statement_deadline_ms: 20_000 };
    const session = await DedicatedSession.open(settings);
    const [row] = await session.query<{ ssl: boolean }>(IS_ENCRYPTED);
    await session.close();
    return row?.ssl;
  },
  async reader(url) {
    const reader = new Reader({ url, size: 1, deadline_ms: 20_000 });
    try {
      const [row] = await reader.rows<{ ssl: boolean }>({ label: "look", text: IS_ENCRYPTED, values: [] });
      return row?.ssl;
    } finally {
      await reader.close(1_000);
    }
  },
};

/** What all ways say to the same URL: encrypted or not, or the words of the error. */
async function outcomes(url: string): Promise<(boolean | string | undefined)[]> {
  return Promise.all(
    Object.values(WAYS).map((way) =>
      way(url).catch((error: unknown) => {
        expect(classify(error)).toBe("unavailable");
        const { message, cause } = error as Error;
        const whole = `${message} ${(cause as Error | undefined)?.message ?? ""}`;
        expect(whole).not.toContain(new URL(url).password);
        return whole;
      }),
    ),
  );
}
const allOf = <T>(value: T) => Object.keys(WAYS).map(() => value);
/** DATABASE_URL with such a query, in which files of the suite are named without their folder. */
const urlWith = (query: string) =>
  services.databaseUrl(
    database,
    query.replace(/=([a-z]+\.(pem|key))/g, (_, name: string) => `=${services.path(name)}`),
  );

describe("to PostgreSQL with TLS, every way of connecting", () => {
  test.each([
    ["a good certificate", "good", "sslmode=verify-full&sslrootcert=ca.pem"],
    ["a good certificate", "good", "sslmode=verify-ca&sslrootcert=ca.pem"],
    [
      "a good certificate, and require checks it when it is given the authority",
      "good",
      "sslmode=require&sslrootcert=ca.pem",
    ],
    ["a certificate of another name", "ofAnotherName", "sslmode=verify-ca&sslrootcert=ca.pem"],
    ["a stranger's certificate", "ofAStranger", "sslmode=require"],
    ["an expired certificate", "expired", "sslmode=prefer"],
  ] as const)(
    "is encrypted: %s (%s, %s)",
    async (_, kind, query) => {
      await services.present(services[kind]());
      expect(await outcomes(urlWith(query))).toEqual(allOf(true));
    },
    TEST_MS,
  );

  test.each([
    ["a certificate of another name", "ofAnotherName", "sslmode=verify-full&sslrootcert=ca.pem", /altnames/],
    ["a stranger's certificate", "ofAStranger", "sslmode=verify-full&sslrootcert=ca.pem", NOT_TRUSTED],
    ["a stranger's certificate", "ofAStranger", "sslmode=verify-ca&sslrootcert=ca.pem", NOT_TRUSTED],
    ["a stranger's certificate", "ofAStranger", "sslmode=require&sslrootcert=ca.pem", NOT_TRUSTED],
    ["the wrong authority", "good", "sslmode=verify-full&sslrootcert=stranger.pem", NOT_TRUSTED],
    ["none of the public authorities", "good", "sslrootcert=system", NOT_TRUSTED],
    [
      "an expired certificate",
      "expired",
      "sslmode=verify-full&sslrootcert=ca.pem",
      /certificate has expired/,
    ],
    ["an expired certificate", "expired", "sslmode=verify-ca&sslrootcert=ca.pem", /certificate has expired/],
    ["plain text, which the server refuses", "good", "sslmode=disable", /no encryption/],
    ["plain text, which the server refuses", "good", "", /no encryption/],
    [
      "a file that is not there",
      "good",
      "sslmode=verify-full&sslrootcert=/nowhere.pem",
      /nowhere.pem cannot be read/,
    ],
  ] as const)(
    "ends with words that say why: %s (%s, %s)",
    async (_, kind, query, words) => {
      await services.present(services[kind]());
      const url = urlWith(query);
      expect(await outcomes(url)).toEqual(allOf(expect.stringMatching(words)));
    },
    TEST_MS,
  );

  test(
    "never goes on in plain text with a server that has no TLS, but for prefer",
    async () => {
      const plain = new URL(process.env.DATABASE_URL!);
      for (const mode of ["require", "verify-ca", "verify-full"]) {
        plain.search = `sslmode=${mode}&sslrootcert=${services.path("ca.pem")}`;
        expect(await outcomes(plain.href)).toEqual(allOf(expect.stringContaining("the server has no TLS")));
      }
      plain.search = "sslmode=prefer";
      expect(await outcomes(plain.href)).toEqual(allOf(false));
    },
    TEST_MS,
  );

  test(
    "shows the certificate of sslcert, whose key may be locked",
    async () => {
      const key = await Bun.file(services.path("client.key")).text();
      const sslkey = await services.write("locked.key", locked(key, "opens it"));
      const url = services.verified(database, { sslkey, sslpassword: "opens it" });
      const session = await DedicatedSession.open({
        url,
        application_name: "shown",
        statement_deadline_ms: 20_000,
      });
      const found = await services.connections(database);
      expect(found).toEqual([{ name: "shown", ssl: true, client_dn: "/CN=hydraulic-ingest" }]);
      await session.close();
      expect(await outcomes(services.verified(database, { sslkey, sslpassword: "does not" }))).toEqual(
        allOf(expect.stringContaining("another passphrase opens it")),
      );
    },
    TEST_MS,
  );

  test(
    "the extension is looked after over TLS, too, and the benchmark's schema is made",
    async () => {
      const url = services.verified(database);
      await updateExtension(url);
      await expect(updateExtension(services.databaseUrl(database, ""))).rejects.toThrow("no encryption");
      const pool = new Database({ url, size: 1, query_deadline_ms: 10_000 });
      await migrate(pool, { directory: MIGRATIONS, chunk_interval_days: 7 });
      await pool.close();
      const scratch = await ScratchSchema.create(url, { directory: MIGRATIONS, chunk_interval_days: 7 });
      expect(await outcomes(scratch.url)).toEqual(allOf(true));
      await scratch.drop();
      expect(await ScratchSchema.dropAbandoned(url)).toEqual([]);
    },
    TEST_MS,
  );
});

describe("to Redis with TLS, every client", () => {
  const blockingClient = (url: string) => serverClient(url, null);
  const CLIENTS = { requestClient, workClient, blockingClient, subscriberClient };
  type Files = { ca?: string; cert?: string; key?: string };

  /** @param deadline_ms what is not good is told at once, but for a server that says nothing */
  async function answers(url: string, files: Files = {}, deadline_ms = 60_000): Promise<(true | string)[]> {
    return Promise.all(
      Object.values(CLIENTS).map(async (open) => {
        const redis = open(withTlsFiles(url, files));
        try {
          await ready(redis, deadline_ms);
          return true as const;
        } catch (error) {
          if (!(error instanceof StreamUnavailableError)) throw error;
          expect(error.message).not.toContain(new URL(url).password);
          return error.message;
        } finally {
          redis.disconnect();
        }
      }),
    );
  }
  const each = <T>(value: T) => Object.keys(CLIENTS).map(() => value);

  test("is ready with the authority and a certificate of its own", async () => {
    expect(await answers(services.redisUrl(), services.redisFiles())).toEqual(each(true));
  });

  test.each([
    ["a certificate of another name", "ofAnotherName", /altnames/],
    ["a stranger's certificate", "ofAStranger", NOT_TRUSTED],
    ["an expired certificate", "expired", /certificate has expired/],
  ] as const)(
    "says why not: the server shows %s",
    async (_, kind, words) => {
      await services.present(services[kind]());
      const found = await answers(services.redisUrl(), services.redisFiles());
      expect(found).toEqual(each(expect.stringMatching(words)));
    },
    TEST_MS,
  );

  test("says why not: no authority is given, and no public one knows the server", async () => {
    const { cert, key } = services.redisFiles();
    expect(await answers(services.redisUrl(), { cert, key })).toEqual(
      each(expect.stringMatching(NOT_TRUSTED)),
    );
  });

  test("says why not: the server wants a certificate, and none is given", async () => {
    const { ca } = services.redisFiles();
    const found = await answers(services.redisUrl(), { ca });
    expect(found).toEqual(each(expect.stringContaining("CERTIFICATE_REQUIRED")));
  });

  test("says why not: the server has no TLS", async () => {
    // Never asked for, and still not to be told; a given server may have none of its own.
    const { host } = new URL(process.env.REDIS_URL!);
    const found = await answers(`rediss://:not-to-be-told@${host}`, services.redisFiles(), 3_000);
    expect(found).toEqual(each(expect.stringMatching(/nothing is answered in TLS/)));
  });

  test("says why not: the URL has no TLS, and the server wants it", async () => {
    const found = await answers(services.redisUrl("redis"), {}, 5_000);
    expect(found).toEqual(each(expect.stringMatching(/does it want TLS|ECONNRESET/)));
  });

  test("an address is checked against the addresses of the certificate", async () => {
    const url = services.redisUrl().replace("localhost", "127.0.0.1");
    expect(await answers(url, services.redisFiles())).toEqual(each(true));
    await services.present(services.authority.issue({ names: ["localhost", "127.0.0.2"] }));
    expect(await answers(url, services.redisFiles())).toEqual(each(expect.stringContaining("altnames")));
  });
});
