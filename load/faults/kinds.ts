/** The faults there are: whom they hit, what they take away meanwhile, and how often they are drawn. */

export const APIS = ["api-1", "api-2"] as const;
export const WORKERS = ["worker-1", "worker-2"] as const;
export type ApiName = (typeof APIS)[number];
export type WorkerName = (typeof WORKERS)[number];
export type ProgramName = ApiName | WorkerName;
export type ServerName = "redis" | "postgres";
/** Between two ends; `clients>api-1` is the way of the producers. */
export type LinkName = `clients>${ApiName}` | `${ProgramName}>${ServerName}`;

const PROGRAMS: readonly ProgramName[] = [...APIS, ...WORKERS];
export const LINKS: readonly LinkName[] = [
  ...APIS.map((api) => `clients>${api}` as const),
  ...PROGRAMS.flatMap((program) => [`${program}>redis` as const, `${program}>postgres` as const]),
];

/** The two ends of a link that are programs or servers of the stack. */
const endsOf = (link: LinkName): string[] => link.split(">").filter((end) => end !== "clients");

export interface Kind {
  readonly title: string;
  /** How many of a hundred draws, about. */
  readonly weight: number;
  /** What is drawn from; one name where there is no choice. */
  readonly targets: readonly string[];
  /** How long the fault lasts, ms: both bounds are included. */
  readonly hold_ms: readonly [number, number];
  /** What does not answer, or answers differently, while the fault lasts. */
  readonly takes: (target: string) => readonly string[];
  /** What has to run for the fault to be one; what it takes has to as well. */
  readonly needs: (target: string) => readonly string[];
}

const none = (): readonly string[] => [];
const itself = (target: string): readonly string[] => [target];
const SHORT = [100, 1_200] as const;
const PAUSE = [300, 2_500] as const;
const AT_ONCE = [0, 0] as const;

const kill = (title: string, weight: number, targets: readonly string[]): Kind => ({
  ...{ title, weight, targets, hold_ms: SHORT, takes: itself, needs: none },
});
const pause = (title: string, weight: number, targets: readonly string[]): Kind => ({
  ...{ title, weight, targets, hold_ms: PAUSE, takes: itself, needs: none },
});
const link = (title: string, weight: number, hold_ms: Kind["hold_ms"]): Kind => ({
  ...{ title, weight, targets: LINKS, hold_ms, takes: itself },
  needs: (target) => endsOf(target as LinkName),
});
const thread = (title: string, weight: number, hold_ms: Kind["hold_ms"] = AT_ONCE): Kind => ({
  ...{ title, weight, targets: WORKERS, hold_ms, takes: none, needs: itself },
});
const sending = (title: string, weight: number, hold_ms: Kind["hold_ms"] = AT_ONCE): Kind => ({
  ...{ title, weight, targets: APIS, hold_ms, takes: none },
  needs: (target) => [target, "redis", `clients>${target}`],
});

const byBoth = (title: string, weight: number): Kind => ({
  ...sending(title, weight),
  needs: () => [...APIS, "redis", ...APIS.map((api) => `clients>${api}`)],
});

/** Silence that TCP keep-alive and the service's own watchdogs have to notice. */
const LONG_SILENCE = [13_000, 15_000] as const;

export const KINDS = {
  "kill-api": kill("kill -9 of an API process", 7, APIS),
  "kill-worker": kill("kill -9 of a worker process", 7, WORKERS),
  "restart-api": kill("ordered restart of an API process", 4, APIS),
  "restart-worker": kill("ordered restart of a worker process", 4, WORKERS),
  "pause-api": pause("SIGSTOP and SIGCONT of an API process", 4, APIS),
  "pause-worker": pause("SIGSTOP and SIGCONT of a worker process", 5, WORKERS),
  "thread-ends": thread("an ingest thread is terminated", 4),
  "thread-throws": thread("an ingest thread throws", 2),
  "thread-rejects": thread("an ingest thread has an unhandled rejection", 2),
  "thread-blocks": thread("an ingest thread hangs for longer than its heartbeat may", 1, [6_000, 7_000]),
  "kill-redis": kill("kill -9 of Redis", 4, ["redis"]),
  "restart-redis": kill("ordered restart of Redis", 2, ["redis"]),
  "pause-redis": pause("SIGSTOP and SIGCONT of Redis", 3, ["redis"]),
  "kill-postgres": kill("kill -9 of PostgreSQL's postmaster", 4, ["postgres"]),
  "kill-backend": kill("kill -9 of one PostgreSQL backend; the postmaster restarts all of them", 4, [
    "postgres",
  ]),
  "restart-postgres": kill("ordered restart of PostgreSQL", 2, ["postgres"]),
  "pause-postgres": pause("SIGSTOP and SIGCONT of every process of PostgreSQL", 3, ["postgres"]),
  "pause-backend": pause("SIGSTOP and SIGCONT of one PostgreSQL backend of a writer", 2, ["postgres"]),
  "cut-link": link("every connection of a link is reset", 9, AT_ONCE),
  "refuse-link": link("a link is reset and refuses connections", 4, SHORT),
  "silent-link": link("a link is silent: bytes are held, connections stay", 6, PAUSE),
  "slow-link": link("each piece of data of a link is late", 4, PAUSE),
  "dead-link": link("a link is silent for so long that watchdogs must give it up", 0.6, LONG_SILENCE),
  "redis-memory": pause("Redis is filled to maxmemory", 3, ["redis"]),
  "redis-disk": pause("the disk of Redis is full", 2, ["redis"]),
  "postgres-disk": pause("the disk of PostgreSQL is full", 3, ["postgres"]),
  "twice-at-once": byBoth("the same batch twice at once, by both APIs, without Idempotency-Key", 2),
  "twice-at-once-keyed": byBoth("the same batch twice at once, by both APIs, with one Idempotency-Key", 2),
  "twice-later": sending("a batch of before again, without Idempotency-Key", 2),
  "twice-later-keyed": sending("a batch of before again with its Idempotency-Key", 2),
  "slow-upload": sending("an upload in pieces that takes nearly as long as it may", 2, [600, 1_200]),
  "stalled-upload": sending("an upload that stalls for longer than it may", 1.5, [2_500, 3_000]),
  "cut-upload": sending("an upload that is cut off, and the batch sent whole afterwards", 3),
} satisfies Record<string, Kind>;

export type KindName = keyof typeof KINDS;
export const KIND_NAMES = Object.keys(KINDS) as KindName[];

/** Those that need a small disk of their own. */
export const DISK_KINDS: readonly KindName[] = ["redis-disk", "postgres-disk"];
