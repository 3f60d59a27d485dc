/** What the routes of reviews share: who may, and why a decision was not taken. */
import {
  IncidentKeyError,
  ReviewBusyError,
  ReviewConflictError,
  SelectionTooLargeError,
  UnknownReadingsError,
} from "../../review/review-errors.ts";
import { classify, StoreUnavailableError } from "../../store/errors.ts";
import { ReviewRaceError } from "../../store/review/settle.ts";
import type { TaskViewer } from "../../store/review/tasks.ts";
import type { Claims } from "../auth/claims.ts";
import { invalidField } from "../body/check-shape.ts";
import { ProblemError } from "../problem-error.ts";

const RETRY_AFTER_S = 1;

/** The outcome of the desk, its faults as problems. @throws {ProblemError} */
export async function reviewAnswer<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw toProblem(error);
  }
}

function toProblem(cause: unknown): unknown {
  if (cause instanceof ReviewConflictError) return conflict(cause);
  if (cause instanceof UnknownReadingsError) {
    const detail = `No reading was quarantined under the id ${cause.ids[0]}.`;
    return new ProblemError("quarantined-reading-not-found", {
      detail,
      errors: [{ pointer: "/selection/ids", detail }],
      cause,
    });
  }
  if (cause instanceof IncidentKeyError)
    return invalidField(cause.pointer, "The key must be one that GET …/incidents gave.");
  if (cause instanceof SelectionTooLargeError) return new ProblemError("selection-too-large", { cause });
  if (cause instanceof ReviewBusyError || cause instanceof ReviewRaceError) {
    return new ProblemError("server-busy", {
      detail: "Too many decisions at once.",
      headers: { "Retry-After": String(RETRY_AFTER_S) },
      cause,
    });
  }
  // The writer's connection was lost, or a lock was not to be had in time: nothing was applied.
  if (classify(cause) === "unavailable")
    return new StoreUnavailableError(cause instanceof Error ? cause.message : "the writer is away", {
      cause,
    });
  return cause;
}

function conflict(cause: ReviewConflictError): ProblemError {
  const readings = cause.readings.map(({ id, review_status, reviewed_by_name, reviewed_at }) => ({
    id,
    review_status,
    reviewed_by_name,
    reviewed_at,
  }));
  const [{ id, review_status, reviewed_by_name } = { id: 0, review_status: "", reviewed_by_name: null }] =
    readings;
  const by = reviewed_by_name ? ` by ${reviewed_by_name}` : "";
  return new ProblemError("review-conflict", {
    detail: `Reading ${id} is ${review_status}${by}. Nothing was changed.`,
    members: { readings },
    cause,
  });
}

/** Who looks at decisions. */
export const taskViewer = ({ sub, systems }: Claims): TaskViewer => systems && { id: sub, systems };
