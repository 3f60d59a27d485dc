/**
 * The one error that service discovery lets out: what is the matter and what a person can do about it.
 * Callers print `message` and `remedy` and exit; a stack trace would help nobody.
 */

/** What went wrong, for callers and tests; never derived from message text. */
export type ServicesErrorCode =
  | "bad-url"
  | "data-version"
  | "disk-full"
  | "download"
  | "no-way"
  | "permission"
  | "root-drop"
  | "secret-lost"
  | "start-failed"
  | "still-running"
  | "timeout"
  | "unpack";

export class ServicesError extends Error {
  override readonly name = "ServicesError";

  /**
   * @param code machine-readable kind
   * @param message what is the matter, one sentence, without a full stop at the end
   * @param remedy what to do, one or more sentences
   */
  constructor(
    readonly code: ServicesErrorCode,
    message: string,
    readonly remedy: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** errno code of a system error (`ENOSPC`, `EACCES`, …), or undefined for any other value. */
export function errnoOf(error: unknown): string | undefined {
  if (typeof error !== "object" || error === null || !("code" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}

/**
 * Turns an error of the file system into a `ServicesError`; gives any other error back unchanged, so that a
 * programming mistake stays visible as one.
 */
export function explainFileError(error: unknown, folder: string): unknown {
  switch (errnoOf(error)) {
    case "ENOSPC":
    case "EDQUOT":
      return diskFull(folder, error);
    case "EACCES":
    case "EPERM":
    case "EROFS":
      return new ServicesError(
        "permission",
        `${folder} cannot be written by this user`,
        `If an earlier start ran as another user (for example root), give the folder back with ` +
          `"chown -R $(id -un) ${folder}" or delete it; otherwise use a clone that this user owns.`,
        { cause: error },
      );
    default:
      return error;
  }
}

/** The error for a full disk (or quota) under `folder`. */
export function diskFull(folder: string, cause?: unknown): ServicesError {
  return new ServicesError(
    "disk-full",
    `The disk that holds ${folder} is full`,
    "Free some space (the services need about 500 MB at first, and room for the data) and start again; " +
      "nothing half-done is kept.",
    { cause },
  );
}

/** The error for a process that survived every signal. */
export function stillRunning(what: string, pid: number): ServicesError {
  return new ServicesError(
    "still-running",
    `${what} (process ${pid}) did not stop`,
    `Look at what it waits for, then end it with "kill ${pid}".`,
  );
}
