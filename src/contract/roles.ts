/** Roles of people and programs, and what an API key may be used for. */

export const ROLES = ["admin", "engineer", "reviewer", "producer"] as const;
/** Decides which operations are open. */
export type Role = (typeof ROLES)[number];

/**
 * What a key may be used for, within its owner's role. `ingest`: send batches and follow the owner's jobs. `read`:
 * every GET. `write`: changes of the registry, decisions about the quarantine and dead letters.
 */
export const SCOPES = ["ingest", "read", "write"] as const;
export type Scope = (typeof SCOPES)[number];
