/** What the routes of dead letters share: which one is meant, how it is shown, and decisions about it. */
import { Type } from "@sinclair/typebox";
import { NoteSchema } from "../../contract/note.ts";
import type { DeadLetterView } from "../../contract/oversight.ts";
import type { ProblemName } from "../../contract/problem.ts";
import type { Decision } from "../../store/dead-letter-record.ts";
import type { DeadLetter, DeadLetterKey } from "../../stream/dead-letters.ts";
import type { AppContext } from "../app-env.ts";
import { DeadLetterGoneError, letterId } from "../dead-letter-desk.ts";
import { invalidParameter } from "../parameters.ts";
import { ProblemError } from "../problem-error.ts";
import { BODY_PROBLEMS, READ_PROBLEMS } from "./common-problems.ts";
import { actorOf } from "./oversight-access.ts";

/** A note fits with every character escaped. */
export const MAX_NOTE_BYTES = 16_384;
const MAX_PARTITION = 63;
/** As Redis writes ids of streams. */
const ENTRY = /^\d{1,15}-\d{1,15}$/;

export const ReplaySchema = Type.Object({ note: Type.Optional(NoteSchema) }, { additionalProperties: false });
export const DiscardSchema = Type.Object({ note: NoteSchema }, { additionalProperties: false });

/** Problems of a decision. */
export const DECISION_PROBLEMS = [
  ...READ_PROBLEMS,
  ...BODY_PROBLEMS,
  "dead-letter-gone",
] as const satisfies readonly ProblemName[];

/** `:partition` and `:entry` of the path, for a description. */
export const LETTER_PARAMETERS = [
  {
    name: "partition",
    in: "path" as const,
    required: true,
    description: "Partition of the stream",
    schema: { type: "integer" as const, minimum: 0, maximum: MAX_PARTITION },
  },
  {
    name: "entry",
    in: "path" as const,
    required: true,
    description: "Id within the partition",
    schema: { type: "string" as const, pattern: ENTRY.source },
  },
];

/** @throws {ProblemError} invalid-request */
export function letterKeyOf(c: AppContext): DeadLetterKey {
  const partition = c.req.param("partition") ?? "";
  const id = c.req.param("entry") ?? "";
  if (!/^\d{1,2}$/.test(partition) || Number(partition) > MAX_PARTITION) {
    throw invalidParameter("partition", `a whole number from 0 to ${MAX_PARTITION}`);
  }
  if (!ENTRY.test(id)) throw invalidParameter("entry", "the part after the slash of a dead letter's id");
  return { partition: Number(partition), id };
}

export function toLetterView(letter: DeadLetter): DeadLetterView {
  const { meta } = letter;
  return {
    id: letterId(letter),
    reason: letter.reason,
    buried_at: new Date(letter.buried_at_ms).toISOString(),
    size_bytes: letter.size,
    job: meta && {
      job_id: meta.job_id,
      system_id: meta.system_id,
      created_by: meta.user_id,
      total_readings: meta.total_readings,
      received_at: new Date(meta.received_at_ms).toISOString(),
    },
  };
}

/** The decision of whoever sends the request. */
export const decisionOf = (c: AppContext, note: string | null): Decision => ({
  actor: actorOf(c),
  reach: c.get("claims").systems,
  note,
});

/** The outcome of a decision. @throws {ProblemError} dead-letter-gone */
export async function decisionAnswer(c: AppContext, decision: Promise<DeadLetter>): Promise<Response> {
  try {
    return c.json(toLetterView(await decision));
  } catch (error) {
    if (!(error instanceof DeadLetterGoneError)) throw error;
    throw new ProblemError("dead-letter-gone", { cause: error });
  }
}
