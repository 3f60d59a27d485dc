import { describe, expect, test } from "bun:test";
import { ConfigError } from "../../src/config/problems.ts";
import { VARIABLES } from "../../src/config/variables.ts";
import { envExample, loadConfig } from "../../src/config.ts";

const errorOf = (environment: Record<string, string>): ConfigError => {
  try {
    loadConfig(environment);
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
  throw new Error("it was accepted");
};
const PRODUCTION = {
  APP_ENV: "production",
  JWT_SECRET_KEY: "x".repeat(32),
  DATABASE_URL: "postgres://u:p@db/hydraulic",
  REDIS_URL: "rediss://:p@cache:6380/0",
};

/** Wrong values of each variable; TypeScript holds the list complete. */
const WRONG: Record<keyof typeof VARIABLES, readonly string[]> = {
  APP_ENV: ["prod", "Production"],
  HOST: ["a b", "http://x", "[::1]"],
  PORT: ["0", "65536", "80a", "-1", "8e3", "1.5"],
  WORKER_OPS_PORT: ["65536", "80a", "-1"],
  DATABASE_URL: ["mysql://h/d", "localhost", "postgres:// x"],
  DATABASE_READ_URL: ["mysql://h/d", "localhost"],
  DATABASE_READ_MAX_LAG_MS: ["999", "3600001", "5s"],
  REDIS_URL: ["http://h", "redis:h", "redis-cluster://h", "redis-cluster://h:1,", "redis-cluster://h:1,i"],
  REDIS_TLS_CA_FILE: [],
  REDIS_TLS_CERT_FILE: [],
  REDIS_TLS_KEY_FILE: [],
  DATA_DIR: [],
  REDIS_DURABILITY: ["no", "ALWAYS"],
  REDIS_REPLICAS: ["-1", "11", "all"],
  JWT_SECRET_KEY: ["short", "x".repeat(31)],
  JWT_ACCEPTED_KEY: ["short", "x".repeat(31)],
  JWT_ALGORITHM: ["none", "RS256", "hs256"],
  OIDC_JWKS_URL: [
    "http://idp.example/keys",
    "http://10.0.0.1/keys",
    "http://127.0.0.1.evil.example/keys",
    "http://localhost.evil.example/keys",
    "https:///keys",
    "file:///etc/passwd",
    "https://idp.example/a b",
  ],
  OIDC_ISSUER: ["a b"],
  OIDC_AUDIENCE: ["a b"],
  OIDC_ROLE_CLAIM: ["a b"],
  OIDC_SYSTEMS_CLAIM: ["a b"],
  OIDC_NAME_CLAIM: ["a b"],
  JWT_ACCESS_TOKEN_EXPIRE_MINUTES: ["0", "43201"],
  SESSION_MAX_HOURS: ["0", "8761", "12h"],
  RATE_LIMIT_REQUESTS_PER_MINUTE: ["0", "-5", "many"],
  RATE_LIMIT_READINGS_PER_MINUTE: ["0", "1000000000001"],
  LOGIN_ATTEMPTS_PER_MINUTE: ["0"],
  MAX_BODY_BYTES: ["1023", "16MB"],
  MAX_COMPRESSION_RATIO: ["0", "1.5", "1000001"],
  BODY_TIMEOUT_MS: ["99", "600001"],
  WAIT_MAX_SECONDS: ["0", "241"],
  BACKLOG_MAX_ENTRIES: ["0"],
  BACKLOG_MAX_BYTES: ["1", "1e9"],
  STREAM_PARTITIONS: ["0", "65"],
  JOB_TTL_HOURS: ["0", "8761"],
  IDEMPOTENCY_TTL_HOURS: ["0", "721"],
  WORKER_THREADS: ["0", "65", "two"],
  WORKER_HEARTBEAT_TIMEOUT_MS: ["499"],
  CLAIM_IDLE_MS: ["499", "3600001"],
  DATABASE_POOL_SIZE: ["0", "201"],
  CHUNK_INTERVAL_DAYS: ["0", "366"],
  COMPRESS_AFTER_DAYS: ["0", "36501"],
  RETENTION_DAYS: ["0", "36501"],
  ROLLUP_INTERVAL_MS: ["99"],
  QUERY_POOL_SIZE: ["0", "101"],
  QUERY_DEADLINE_MS: ["99", "240001"],
  SENSOR_REGISTRATION: ["yes", "Auto"],
  QUARANTINE_ALERT_SHARE: ["-0.1", "1.01", "5%", "1e-3", "."],
  QUARANTINE_ALERT_WINDOW_MINUTES: ["0", "1441", "1.5"],
  QUARANTINE_ALERT_MIN_READINGS: ["0", "1000000000001"],
  WEBHOOK_ALLOWED_NETWORKS: [
    "10.0.0.0",
    "10.0.0.0/33",
    "fd00::/129",
    "10.0.0.0/8,",
    "localhost/8",
    "10.0.0/8",
  ],
  TRUSTED_PROXIES: ["10.0.0.0", "10.0.0.0/33", "fd00::/129", "10.0.0.0/8,", "localhost/8", "10.0.0/8"],
  UNITS_FILE: [],
  SHUTDOWN_DELAY_MS: ["-1", "600001"],
  SHUTDOWN_GRACE_MS: ["99"],
  LOG_LEVEL: ["verbose", "trace"],
  LOG_FORMAT: ["xml"],
  OTEL_EXPORTER_OTLP_ENDPOINT: ["collector:4318", "grpc://collector:4317", "http:///v1"],
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: ["collector:4318/v1/traces", "http://a b/"],
  OTEL_EXPORTER_OTLP_HEADERS: ["key", "=value", "a=1,b", "a=%zz"],
  OTEL_SERVICE_NAME: ["x".repeat(256)],
  OTEL_RESOURCE_ATTRIBUTES: ["deployment", "a b=c"],
  OTEL_TRACES_SAMPLER: ["on", "jaeger_remote", "parentbased"],
  OTEL_TRACES_SAMPLER_ARG: ["1.5", "-0.1", "10%"],
};

describe("a wrong value", () => {
  const cases = Object.entries(WRONG).flatMap(([name, values]) =>
    values.map((value) => [name, value] as const),
  );
  test.each(cases)(
    "of %s (%s) stops the start with its name, what it was and what is allowed",
    (name, value) => {
      const error = errorOf({ [name]: value });
      const { allowed } = VARIABLES[name as keyof typeof VARIABLES];
      expect(error.problems).toEqual([{ name, value, allowed }]);
      const shown = /(_KEY|_HEADERS)$/.test(name) ? `(${value.length} characters, not shown)` : value;
      expect(error.message).toContain(`${name} is "${shown.slice(0, 120)}"; it must be ${allowed}`);
    },
  );

  test("does not hide the others: all are told at once", () => {
    const error = errorOf({ PORT: "x", WORKER_THREADS: "y", APP_ENV: "z" });
    expect(error.problems.map(({ name }) => name)).toEqual(["APP_ENV", "PORT", "WORKER_THREADS"]);
  });
});

describe("files for TLS to Redis", () => {
  const secure = { REDIS_URL: "rediss://:hidden@cache", REDIS_TLS_CA_FILE: "/ca.pem" };
  const own = { REDIS_TLS_CERT_FILE: "/c.pem", REDIS_TLS_KEY_FILE: "/k.pem" };

  test.each([
    [
      { ...secure, REDIS_URL: "redis://:hidden@cache" },
      "REDIS_URL",
      "a rediss:// URL when a REDIS_TLS_ file is set",
    ],
    [{ REDIS_TLS_CA_FILE: "/ca.pem" }, "REDIS_URL", "a rediss:// URL when a REDIS_TLS_ file is set"],
    [
      { ...secure, REDIS_TLS_KEY_FILE: "/k.pem" },
      "REDIS_TLS_CERT_FILE",
      "a path when REDIS_TLS_KEY_FILE is set",
    ],
    [
      { ...secure, REDIS_TLS_CERT_FILE: "/c.pem" },
      "REDIS_TLS_KEY_FILE",
      "a path when REDIS_TLS_CERT_FILE is set",
    ],
  ])("are refused when they cannot be used: %o", (environment, name, allowed) => {
    const { problems, message } = errorOf(environment as Record<string, string>);
    expect(problems).toEqual([{ name, allowed, value: (environment as Record<string, string>)[name] }]);
    expect(message).not.toContain("hidden");
  });

  test("are taken with rediss://", () => {
    expect(loadConfig({ ...secure, ...own })).toMatchObject({ ...secure, ...own });
  });
});

test.each([
  ["JWT_SECRET_KEY", "hunter2"],
  ["JWT_ACCEPTED_KEY", "hunter2"],
  ["DATABASE_URL", "mysql://admin:hunter2@db/x"],
  ["DATABASE_URL", "mysql://admin:hun/ter2@db/x"],
  ["DATABASE_URL", "mysql://admin:hun@ter2@db/x"],
  ["DATABASE_URL", "admin:hunter2@db"],
  ["DATABASE_URL", "mysql://db/x?sslpassword=hunter2&sslmode=require"],
  ["REDIS_URL", "http://:hunter2@cache"],
  ["OTEL_EXPORTER_OTLP_HEADERS", "api-key:hunter2"],
  ["OTEL_EXPORTER_OTLP_ENDPOINT", "grpc://me:hunter2@collector"],
  ["REDIS_URL", "redis-cluster://:hunter2@cache:1,cache"],
])("a secret in %s is not repeated (%s)", (name, value) => {
  const { message } = errorOf({ [name]: value });
  expect(message).not.toMatch(/hun|ter2/);
  expect(message).toContain(name);
});

describe("production", () => {
  test("takes its own secret and URLs", () => {
    expect(loadConfig(PRODUCTION)).toMatchObject(PRODUCTION);
  });
  test.each(["JWT_SECRET_KEY", "DATABASE_URL", "REDIS_URL"] as const)("without %s does not start", (name) => {
    const { [name]: _, ...rest } = PRODUCTION;
    const error = errorOf(rest);
    expect(error.problems.map((problem) => problem.name)).toEqual([name]);
    expect(error.message).toContain(`${name} is not set`);
    expect(errorOf({ ...rest, [name]: "  " }).problems).toEqual(error.problems);
  });
  test("does not start with the development secret, and does not print it", () => {
    const secret = loadConfig({}).JWT_SECRET_KEY;
    const error = errorOf({ ...PRODUCTION, JWT_SECRET_KEY: secret });
    expect(error.problems.map(({ name }) => name)).toEqual(["JWT_SECRET_KEY"]);
    expect(error.message).not.toContain(secret);
  });
  test("of a worker, or of a command, takes no secret that it does not use", () => {
    const { JWT_SECRET_KEY: secret, ...rest } = PRODUCTION;
    expect(loadConfig(rest, "work")).toMatchObject(rest);
    expect(() => loadConfig({ ...rest, JWT_SECRET_KEY: secret }, "work")).not.toThrow();
    expect(() => loadConfig(rest, "serve")).toThrow(ConfigError);
    const { DATABASE_URL: _, REDIS_URL: __, ...bare } = rest;
    expect(() => loadConfig(bare, "work")).toThrow(/DATABASE_URL is not set[\s\S]*REDIS_URL is not set/);
  });
});

describe("an outside identity provider", () => {
  const PROVIDER = {
    OIDC_JWKS_URL: "https://idp.example/keys",
    OIDC_ISSUER: "https://idp.example",
    OIDC_AUDIENCE: "hydraulic",
  };
  test.each([
    "https://idp.example/keys",
    "http://127.0.0.1:8080/keys",
    "http://localhost/k",
    "http://[::1]:1/k",
  ])("may have its keys at %s", (OIDC_JWKS_URL) => {
    expect(loadConfig({ ...PROVIDER, OIDC_JWKS_URL })).toMatchObject({ OIDC_JWKS_URL });
  });
  test.each(["OIDC_ISSUER", "OIDC_AUDIENCE"] as const)(
    "without %s does not start: any of its tokens would do",
    (name) => {
      const error = errorOf({ ...PROVIDER, [name]: "" });
      expect(error.problems.map((problem) => problem.name)).toEqual([name]);
      expect(error.message).toContain("when OIDC_JWKS_URL is set");
    },
  );
});

describe("the schema", () => {
  test("every default is allowed by its own rule, and empty means not set", () => {
    for (const [name, { fallback, read }] of Object.entries(VARIABLES)) {
      if (fallback !== undefined)
        expect({ name, value: (read as (t: string) => unknown)(String(fallback)) }).toEqual({
          name,
          value: fallback,
        });
    }
    const empty = Object.fromEntries(Object.keys(VARIABLES).map((name) => [name, " "]));
    expect(loadConfig(empty)).toEqual(loadConfig({}));
    expect(Object.isFrozen(loadConfig({}))).toBe(true);
  });
  test("names and values come as such, percent-encoding undone, blanks around them left out", () => {
    const { OTEL_EXPORTER_OTLP_HEADERS: headers } = loadConfig({
      OTEL_EXPORTER_OTLP_HEADERS: " api-key = a%2Cb%3D , x-team=rigs==,,",
    });
    expect(headers).toEqual({ "api-key": "a,b=", "x-team": "rigs==" });
  });
  test("numbers come as numbers and both ends are allowed", () => {
    expect(loadConfig({ PORT: "1" }).PORT).toBe(1);
    expect(loadConfig({ PORT: "65535" }).PORT).toBe(65_535);
    expect(loadConfig({ JWT_SECRET_KEY: "y".repeat(32) }).JWT_SECRET_KEY).toBe("y".repeat(32));
  });
  test(".env.example says the same as the schema", async () => {
    expect(await Bun.file(new URL("../../.env.example", import.meta.url)).text()).toBe(envExample());
    for (const name of Object.keys(VARIABLES)) expect(envExample()).toContain(`\n#${name}=`);
  });
});
