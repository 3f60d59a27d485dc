/** The forms in which a batch may be sent, and what cannot be read of one. */

/** `json` is one document that names its system; of the others the request's query does. `line`: line protocol. */
export const BODY_FORMATS = ["json", "ndjson", "csv", "line"] as const;
export type BodyFormat = (typeof BODY_FORMATS)[number];

/** The body as a whole cannot be taken apart, so nobody can say how many readings it has. */
export class BodyFormatError extends Error {
  override readonly name = "BodyFormatError";
  /** @param line of the body that is at fault, from 1; null when it is none in particular */
  constructor(
    message: string,
    readonly line: number | null = null,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/**
 * A piece of a body that should be one reading and cannot be read as one. It is refused like any bad reading; its
 * text is what is kept of it.
 */
export class Unreadable {
  /**
   * @param text as sent
   * @param why for people, storable text
   */
  constructor(
    readonly text: string,
    readonly why: string,
  ) {}

  /** In quarantine: the text as a JSON string. */
  toJSON(): string {
    return this.text;
  }
}
