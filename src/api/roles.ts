/** Groups of roles and of scopes that several routes admit. */
import type { Scope } from "../contract/roles.ts";

export { ADMINS, READERS, REVIEWERS } from "../contract/roles.ts";
/** A key that sends. */
export const SENDING: readonly Scope[] = ["ingest"];
/** A key that follows what was sent. */
export const FOLLOWING: readonly Scope[] = ["ingest", "read"];
