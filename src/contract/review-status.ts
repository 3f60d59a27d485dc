/** What became of a quarantined reading. */
export const REVIEW_STATUSES = ["pending", "approved", "rejected", "fixed"] as const;
export type ReviewStatus = (typeof REVIEW_STATUSES)[number];
