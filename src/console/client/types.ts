/** What only the console knows about the answers of the API; the rest is in the contract. */

/** In which zone times are shown. */
export type Zone = "local" | "utc";

/** A page of any list; `next` is an address, or what `after` takes. */
export interface Page<T> {
  readonly items: readonly T[];
  readonly next: string | number | null;
}
