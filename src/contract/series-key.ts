/** What readings have in place of the id of their sensor. */

/** A field of line protocol. */
export interface FieldKey {
  readonly measurement: string;
  readonly field: string;
  readonly tags: Readonly<Record<string, string>>;
}
export type SeriesKey = { readonly name: string } | FieldKey;
