/** Shapes shared by the parts of src/services. */

/** Redis persistence: fsync of the append-only file once a second, or before every answer. */
export type Durability = "everysec" | "always";

/** What this module logs with; a pino logger fits. */
export interface ServicesLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

/** What is told to the person at the terminal while long steps run. */
export interface Progress {
  /** A step begins: one short sentence without a full stop. */
  step(text: string): void;
  /** A transfer goes on: `done` and `total` in bytes (or any one unit); may be called often. */
  amount(label: string, done: number, total: number): void;
}

export interface ServicesOptions {
  /** Absolute folder for data, state and logs, such as `<clone>/.data`. Created when missing. */
  readonly dataDir: string;
  /** Absolute folder of the embedded bundle; by default `<dataDir>/runtime`. */
  readonly runtimeDir?: string | undefined;
  /** PostgreSQL given by the user (`DATABASE_URL`): used as it is, nothing is started for it. */
  readonly databaseUrl?: string | undefined;
  /** Redis given by the user (`REDIS_URL`): used as it is, nothing is started for it. */
  readonly redisUrl?: string | undefined;
  readonly durability: Durability;
  readonly log: ServicesLog;
  readonly progress: Progress;
}

export interface Services {
  /** `postgres://…`; for private instances a superuser of a database that is ours alone. */
  readonly databaseUrl: string;
  /** `redis://…`, database 0. */
  readonly redisUrl: string;
  /** What was chosen and why: one line for PostgreSQL, one for Redis. */
  readonly description: readonly string[];
  /**
   * Lets go of the services. The last program of this data folder to let go stops the private instances;
   * given ones are never stopped. Safe to call twice. Bounded: about 60 s at worst.
   */
  stop(): Promise<void>;
}

export type ServiceName = "postgres" | "redis";
