/** Asks every question in turn, round by round, so that whatever disturbs the machine hits all alike. */
import { WrongDataError } from "../../src/store/benchmark-tables.ts";
import { type Latency, latency } from "../../src/verify/benchmark/percentile.ts";
import type { Question, Who } from "./asked.ts";
import type { Subjects } from "./subjects.ts";

/** A service and who asks it. */
export interface Asked {
  readonly origin: string;
  readonly token: string;
}

/** And those who reach some systems alone. */
export interface AskedByMany extends Asked {
  readonly limited: Readonly<Record<Who, string>>;
}

export interface Measured {
  readonly name: string;
  /** To the first byte of the body, not to the last. */
  readonly first_byte: boolean;
  /** Bytes of the last answer's body; null when it was left. */
  readonly body_bytes: number | null;
  /** Requests that nothing was found for. */
  readonly empty: number;
  readonly latency: Latency;
}

const DEADLINE_MS = 30_000;
/** A list without items, counts of nothing. */
const NOTHING = /^\{"items":\[\]|"items":\[\]\}$|"total":\{"count":0,/;
/** Of each question, before anything is measured. */
const WARM_UP = 5;

/** One request at a time. @throws {WrongDataError} when an answer is none */
export async function measure(
  asked: AskedByMany,
  questions: readonly Question[],
  subjects: Subjects,
  requests: number,
  stop: AbortSignal,
): Promise<Measured[]> {
  const durations = questions.map((): number[] => []);
  const sizes = questions.map((): number | null => null);
  const empty = questions.map(() => 0);
  for (let n = -WARM_UP; n < requests; n += 1) {
    for (const [which, question] of questions.entries()) {
      stop.throwIfAborted();
      const { duration_ms, body } = await ask(asked, question, question.path(subjects, n + WARM_UP));
      sizes[which] = body?.byteLength ?? null;
      if (n < 0) continue;
      durations[which]!.push(duration_ms);
      if (body && NOTHING.test(body.toString("latin1"))) empty[which]! += 1;
    }
  }
  return questions.map(({ name, first_byte = false }, i) => ({
    name,
    first_byte,
    body_bytes: sizes[i]!,
    empty: empty[i]!,
    latency: latency(durations[i]!),
  }));
}

async function ask({ origin, token, limited }: AskedByMany, { first_byte, as }: Question, path: string) {
  const leave = new AbortController();
  const begin = performance.now();
  const answer = await fetch(origin + path, {
    headers: { Authorization: `Bearer ${as ? limited[as] : token}`, "Accept-Encoding": "identity" },
    signal: AbortSignal.any([AbortSignal.timeout(DEADLINE_MS), leave.signal]),
  });
  if (!answer.ok)
    throw new WrongDataError(`${path}: ${answer.status} ${(await answer.text()).slice(0, 300)}`);
  if (!first_byte) {
    const body = Buffer.from(await answer.arrayBuffer());
    return { duration_ms: performance.now() - begin, body };
  }
  const reader = answer.body!.getReader();
  const { value } = await reader.read();
  const duration_ms = performance.now() - begin;
  if (!value?.byteLength) throw new WrongDataError(`${path}: nothing was exported`);
  // An export runs on until it is told that nobody reads it.
  leave.abort();
  await reader.cancel().catch(() => undefined);
  return { duration_ms, body: null };
}
