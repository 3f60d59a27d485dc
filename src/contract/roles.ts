/** Roles of people and programs, and what an API key may be used for. */

export const ROLES = ["admin", "engineer", "reviewer", "producer"] as const;
/** Decides which operations are open. */
export type Role = (typeof ROLES)[number];
/** Those who look after everybody's batches. Producers see only their own. */
export const READERS: readonly Role[] = ["admin", "engineer", "reviewer"];
/** Those who decide about what was refused or could not be processed. */
export const REVIEWERS: readonly Role[] = ["admin", "reviewer"];
/** Those who change systems, sensors and ranges. */
export const REGISTRY_EDITORS: readonly Role[] = ["admin", "engineer"];
export const ADMINS: readonly Role[] = ["admin"];
/** Those who have webhooks: who sends batches, and admins. */
export const WEBHOOK_USERS: readonly Role[] = ["admin", "engineer", "producer"];

/**
 * What a key may be used for, within its owner's role. `ingest`: send batches and follow the owner's jobs. `read`:
 * every GET. `write`: changes of the registry, decisions about the quarantine and dead letters.
 */
export const SCOPES = ["ingest", "read", "write"] as const;
export type Scope = (typeof SCOPES)[number];
