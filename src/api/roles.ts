/** Groups of roles and of scopes that several routes admit. */
import type { Role, Scope } from "../contract/roles.ts";

/** Those who look after everybody's batches. Producers see only their own. */
export const READERS: readonly Role[] = ["admin", "engineer", "reviewer"];
/** Those who decide about what was refused or could not be processed. */
export const REVIEWERS: readonly Role[] = ["admin", "reviewer"];
export const ADMINS: readonly Role[] = ["admin"];
/** A key that sends. */
export const SENDING: readonly Scope[] = ["ingest"];
/** A key that follows what was sent. */
export const FOLLOWING: readonly Scope[] = ["ingest", "read"];
