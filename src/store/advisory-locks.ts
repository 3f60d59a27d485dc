/**
 * The advisory locks of one database, all in one place: two that share a number would shut each other out for ever.
 * The numbers are any, the same in every program that keeps this schema; a number that was in use stays taken.
 */
export const ADVISORY_LOCKS = {
  /** Migrating: one program behind the other. */
  migration: 7_402_911,
  /** Bringing what depends on the edition into shape. */
  reconcile: 7_402_912,
  /** Leading the maintenance. */
  maintenance: 7_402_913,
  /** Running the review's tasks. */
  review: 7_402_915,
  /** Sending webhooks. */
  webhooks: 7_402_916,
  /** Adding up quarantine changes, for one transaction: a leader of before may still be in its last step. */
  quarantine_fold: 7_402_917,
  /** Storing what reviewers decided: shared; taking stored readings out: alone. For one transaction. */
  review_holdings: 7_402_918,
} as const;

/** First of the two keys of a scratch schema's lock, which is of a kind of its own; the second is a hash of its name. */
export const SCRATCH_LOCK_CLASS = 7_402_914;
