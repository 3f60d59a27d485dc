/** Groups of roles and of scopes that several routes admit. */
import type { Role, Scope } from "../contract/roles.ts";

export { ADMINS, READERS, REVIEWERS } from "../contract/roles.ts";
/** Reviewers judge what others sent; they send nothing themselves. */
export const SENDERS: readonly Role[] = ["producer", "engineer", "admin"];
/** A key that sends. */
export const SENDING: readonly Scope[] = ["ingest"];
/** A key that follows what was sent. */
export const FOLLOWING: readonly Scope[] = ["ingest", "read"];
