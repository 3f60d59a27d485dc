/** What became of a quarantined reading. */
export const REVIEW_STATUSES = ["pending", "approved", "rejected", "fixed"] as const;
export type ReviewStatus = (typeof REVIEW_STATUSES)[number];

/** Readings that are named one by one, at most. */
export const MAX_REVIEW_IDS = 1_000;
/** Incidents whose readings one file has, at most: their keys fit into an address. */
export const MAX_INCIDENTS = 40;
