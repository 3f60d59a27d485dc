/** Why a query has no answer although the database is there. */

/** The query ran into its deadline (SQLSTATE 57014 without a caller who went away). */
export class QueryTimeoutError extends Error {
  override readonly name = "QueryTimeoutError";
  constructor(
    readonly label: string,
    readonly deadline_ms: number,
    cause: unknown,
  ) {
    super(`the query "${label}" took longer than ${deadline_ms} ms`, { cause });
  }
}

/** Too many queries are in work. */
export class QueryBusyError extends Error {
  override readonly name = "QueryBusyError";
}

/** The caller went away; nobody waits for the answer. */
export class QueryAbortedError extends Error {
  override readonly name = "QueryAbortedError";
  constructor() {
    super("the caller went away");
  }
}
