/** What the oracle finds: something that is not as it has to be. */
export interface Difference {
  readonly what: string;
  readonly lane: number | null;
  readonly n: number | null;
  readonly job_id: string | null;
  /** When the batch was accepted, ms since the epoch; null: not known. */
  readonly at_ms: number | null;
}
