/** What ends a feeder with a message instead of a stack: what people can change, and what the service said. */
import { HydraulicClientError } from "../client/index.ts";

/** Options, a mapping or a file that cannot work; the text says which and what is allowed. */
export class UsageError extends Error {
  override readonly name: string = "UsageError";
}

/** An error that is told in one line: wrong options, or what the client says of the service. */
export function isFeedError(error: unknown): error is UsageError | HydraulicClientError {
  return error instanceof UsageError || error instanceof HydraulicClientError;
}
