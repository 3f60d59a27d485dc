/** Every variable of the environment, and the configuration that they become. */
import { choice, networks, share, text, type Variable, whole } from "./kinds.ts";
import { PROVIDER_VARIABLES } from "./provider.ts";
import { REDIS_TLS_VARIABLES } from "./redis-tls.ts";
import { REPLICA_VARIABLES } from "./replica.ts";
import { TOKEN_VARIABLES } from "./tokens.ts";
import { TRACING_VARIABLES } from "./tracing.ts";

const optional: string | undefined = undefined;
const optionalNumber: number | undefined = undefined;

/** Every variable of the environment, in the order of `.env.example`. */
export const VARIABLES = {
  APP_ENV: choice(
    "development",
    "production has no default secret, no demo data and starts no service itself",
    ["development", "test", "production"],
  ),
  HOST: text(
    "127.0.0.1",
    "Address the HTTP server listens on",
    "a host name or an IP address",
    /^[0-9A-Za-z.:-]+$/,
  ),
  PORT: whole(8000, "TCP port of the HTTP server", 1, 65535),
  WORKER_OPS_PORT: whole(0, "TCP port of a `start worker` for probes and metrics; 0: none", 0, 65535),
  DATABASE_URL: text(
    optional,
    "PostgreSQL 15+ with TimescaleDB; sslmode, sslrootcert, sslcert and sslkey as libpq has them. Empty: a private instance is found or started (not in production)",
    "a postgres:// or postgresql:// URL",
    /^postgres(ql)?:\/\/\S+$/,
  ),
  ...REPLICA_VARIABLES,
  REDIS_URL: text(
    optional,
    "Redis or Valkey 7+. Empty: a private instance is found or started (not in production)",
    "a redis:// or rediss:// URL, or of a Redis Cluster redis-cluster://[user:password@]host:port,host:port,… (rediss-cluster: with TLS)",
    /^(rediss?:\/\/\S+|rediss?-cluster:\/\/([^\s/@]*@)?[^\s/@,]+:\d{1,5}(,[^\s/@,]+:\d{1,5})*)$/,
  ),
  ...REDIS_TLS_VARIABLES,
  DATA_DIR: text(".data", "Folder of the private instances and of their data", "a path", /^\S.*$/),
  REDIS_DURABILITY: choice(
    "everysec",
    "How often the private Redis syncs to disk; always also survives a power cut, on replicas as well with REDIS_REPLICAS",
    ["everysec", "always"],
  ),
  REDIS_REPLICAS: whole(
    optionalNumber,
    "Replicas that must have a batch before it is answered with 202; as many as each master has lose nothing at a failover. Empty: 1 on a Redis Cluster, else 0",
    0,
    10,
  ),
  ...TOKEN_VARIABLES,
  ...PROVIDER_VARIABLES,
  RATE_LIMIT_REQUESTS_PER_MINUTE: whole(
    15,
    "Ingest requests a user or an API key may send a minute, unless it has a limit of its own or of its owner",
    1,
    1_000_000_000,
  ),
  RATE_LIMIT_READINGS_PER_MINUTE: whole(
    150_000,
    "Readings a user or an API key may send a minute, unless it has a limit of its own or of its owner",
    1,
    1_000_000_000_000,
  ),
  TRUSTED_PROXIES: networks(
    "Proxies in front of the API, whose X-Forwarded-For says whom a login comes from; networks as CIDR, between commas",
  ),
  LOGIN_ATTEMPTS_PER_MINUTE: whole(
    10,
    "Login attempts a minute for one user name from one address",
    1,
    1_000_000,
  ),
  MAX_BODY_BYTES: whole(
    16_777_216,
    "Largest request body, bytes, before and after decompression",
    1024,
    268_435_456,
  ),
  MAX_COMPRESSION_RATIO: whole(
    500,
    "Bytes that one byte of a compressed request body may become, beyond the first MiB; honest telemetry stays below 300",
    1,
    1_000_000,
  ),
  BODY_TIMEOUT_MS: whole(30_000, "Time a request body may take to arrive, ms", 100, 600_000),
  WAIT_MAX_SECONDS: whole(
    30,
    "Longest time that a request may wait for its job to end (Prefer: wait=N), s",
    1,
    240,
  ),
  BACKLOG_MAX_ENTRIES: whole(100_000, "Batches waiting in one stream partition before 503", 1, 100_000_000),
  BACKLOG_MAX_BYTES: whole(
    1_073_741_824,
    "Bytes waiting in one stream partition before 503",
    1024,
    1_099_511_627_776,
  ),
  STREAM_PARTITIONS: whole(
    1,
    "Redis streams that share the load, several for each master of a Redis Cluster; may be changed at any time",
    1,
    64,
  ),
  JOB_TTL_HOURS: whole(24, "Hours a finished job stays in Redis; Postgres keeps it", 1, 8_760),
  IDEMPOTENCY_TTL_HOURS: whole(24, "Hours an Idempotency-Key is remembered", 1, 720),
  WORKER_THREADS: whole(2, "Ingest threads of one process", 1, 64),
  WORKER_HEARTBEAT_TIMEOUT_MS: whole(10_000, "Silence after which a thread is replaced, ms", 500, 600_000),
  CLAIM_IDLE_MS: whole(15_000, "Silence after which another consumer takes over a batch, ms", 500, 3_600_000),
  DATABASE_POOL_SIZE: whole(8, "Connections for queries, beside one writer connection a thread", 1, 200),
  QUERY_POOL_SIZE: whole(4, "Queries of stored readings at once, each on a connection of its own", 1, 100),
  QUERY_DEADLINE_MS: whole(10_000, "Longest run of a query of stored readings, ms", 100, 240_000),
  CHUNK_INTERVAL_DAYS: whole(7, "Days in one chunk of the hypertable; read when it is created", 1, 365),
  COMPRESS_AFTER_DAYS: whole(
    7,
    "Age at which readings are compressed (Community edition of TimescaleDB only), days",
    1,
    36_500,
  ),
  RETENTION_DAYS: whole(
    1_825,
    "Age at which readings and their hourly aggregate are dropped, days",
    1,
    36_500,
  ),
  ROLLUP_INTERVAL_MS: whole(
    2_000,
    "Pause between two looks for hours whose aggregate is out of date, ms",
    100,
    3_600_000,
  ),
  SENSOR_REGISTRATION: choice(
    "auto",
    "auto: the first good reading of a sensor registers it; strict: readings of unknown sensors are quarantined",
    ["auto", "strict"],
  ),
  QUARANTINE_ALERT_SHARE: share(
    0.05,
    "Share of quarantined readings above which an alert is raised for a system; 1: never. A system may have limits of its own",
  ),
  QUARANTINE_ALERT_WINDOW_MINUTES: whole(
    60,
    "Batches received within these minutes count for alerts",
    1,
    1_440,
  ),
  QUARANTINE_ALERT_MIN_READINGS: whole(
    1_000,
    "Fewer readings of a system in the window raise no alert",
    1,
    1_000_000_000_000,
  ),
  WEBHOOK_ALLOWED_NETWORKS: networks(
    "Networks that webhooks may lead to although they are not public, also over plain http; empty: none",
  ),
  UNITS_FILE: text(
    optional,
    "JSON file with further units: [{symbol, name, quantity, min, max, aliases}]",
    "a path",
    /^\S.*$/,
  ),
  SHUTDOWN_DELAY_MS: whole(
    0,
    "Time an API goes on serving after the wish to stop, while `/readyz` sends balancers elsewhere, ms",
    0,
    600_000,
  ),
  SHUTDOWN_GRACE_MS: whole(20_000, "Time an ordered stop may take, after that, ms", 100, 600_000),
  LOG_LEVEL: choice("info", "Least severe line that is logged", ["debug", "info", "warn", "error"]),
  LOG_FORMAT: choice("auto", "auto: text on a terminal, else JSON", ["auto", "json", "text"]),
  ...TRACING_VARIABLES,
} as const;

export type VariableName = keyof typeof VARIABLES;

type ValueOf<V> = V extends Variable<infer T> ? T : never;

/** The parsed environment: each variable under its own name, with its type. */
export type Config = { readonly [K in VariableName]: ValueOf<(typeof VARIABLES)[K]> };
