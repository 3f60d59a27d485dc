/** When the disk is made to keep what was written: before a write resolves, within a second, or when the system likes. */
export type FsyncPolicy = "always" | "interval" | "never";

/** With `interval`, ms. */
export const FSYNC_INTERVAL_MS = 1000;
