/** Why a decision was not taken. Nothing was written in any of these cases. */
import type { QuarantinedRow } from "../store/review/readings.ts";

/** Some readings are not in the status that the action needs: somebody else was faster. */
export class ReviewConflictError extends Error {
  override readonly name = "ReviewConflictError";
  constructor(readonly readings: readonly QuarantinedRow[]) {
    super(`${readings.length} readings are in another status`);
  }
}

export class UnknownReadingsError extends Error {
  override readonly name = "UnknownReadingsError";
  constructor(readonly ids: readonly number[]) {
    super(`${ids.length} quarantined readings do not exist`);
  }
}

/** The key of an incident is none. */
export class IncidentKeyError extends Error {
  override readonly name = "IncidentKeyError";
  /** @param pointer where the selection has it, a JSON pointer */
  constructor(readonly pointer: string) {
    super(`${pointer} is no key of an incident`);
  }
}

/** More readings than one decision may be about. */
export class SelectionTooLargeError extends Error {
  override readonly name = "SelectionTooLargeError";
}

/** Too many decisions wait already. */
export class ReviewBusyError extends Error {
  override readonly name = "ReviewBusyError";
}
