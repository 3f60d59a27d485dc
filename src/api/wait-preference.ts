/** How long a request wants to wait for the end of its job: `Prefer: wait=N` (RFC 7240) or `?wait=committed`. */
import type { Context, MiddlewareHandler } from "hono";
import type { JobRecord } from "../contract/job.ts";
import { joinSignals } from "../ops/retry.ts";
import type { AppEnv } from "./app-env.ts";
import type { RouteDeps } from "./deps.ts";
import { type JobWatch, TooManyFollowersError } from "./job-watch.ts";
import { choiceParameter } from "./parameters.ts";

const NO_WAIT = { s: 0, isPreference: false };
/** Time for the answer itself beyond the wait, before the connection counts as idle, s. */
const MARGIN_S = 10;
/** token [ BWS "=" BWS word ] up to the first parameter (RFC 7240 section 2). */
const WAIT = /^\s*wait\s*=\s*(?:"(\d+)"|(\d+))\s*(?:;|$)/i;
const NAME = /^\s*wait\s*(?:[=;]|$)/i;

/**
 * Seconds in `Prefer: wait=N`, however many (Infinity beyond a double); undefined without it. Of several the first counts, and what makes no sense is as if it
 * were not there (RFC 7240 section 2).
 */
export function preferredWait_s(header: string | undefined): number | undefined {
  const first = splitList(header ?? "").find((preference) => NAME.test(preference));
  const [, quoted, plain] = WAIT.exec(first ?? "") ?? [];
  const text = quoted ?? plain;
  return text === undefined ? undefined : Number(text);
}

/** Members of a list between commas, which also stand in quoted strings (RFC 9110 section 5.6.1). */
const splitList = (header: string) => header.match(/(?:"(?:[^"\\]|\\.)*"|[^,"])+/g) ?? [];

/**
 * Notes how long the request may wait; before the body is read, so that a wrong parameter costs nothing.
 * @throws {ProblemError} invalid-request
 */
export function readWait({ config }: Pick<RouteDeps, "config">): MiddlewareHandler<AppEnv> {
  const longest_s = config.WAIT_MAX_SECONDS;
  return async (c, next) => {
    const preferred_s = preferredWait_s(c.req.header("Prefer"));
    const isAsked = choiceParameter(c, "wait", ["committed", "no"], "no") === "committed";
    const wanted_s = preferred_s ?? (isAsked ? longest_s : 0);
    c.set("wait", { s: Math.min(wanted_s, longest_s), isPreference: preferred_s !== undefined });
    await next();
  };
}

interface WaitDeps extends Pick<RouteDeps, "clock"> {
  readonly jobWatch: Pick<JobWatch, "ended">;
  readonly tokens: Pick<RouteDeps["tokens"], "lifeOf">;
}

/**
 * The job of an accepted batch once it has ended, if the request wants to wait for that; null when it does not, when
 * the time passes, the server stops or the credential ends before, or when too many requests wait already: the batch
 * is accepted anyway.
 */
export async function awaited(
  { jobWatch, clock, tokens }: WaitDeps,
  c: Context<AppEnv>,
  job_id: string,
): Promise<JobRecord | null> {
  const { s, isPreference } = c.get("wait") ?? NO_WAIT;
  if (s === 0) return null;
  const begin_ms = clock.monotonic_ms();
  c.env.patience?.(c.req.raw, s + MARGIN_S);
  const life = tokens.lifeOf(c.get("claims"));
  const gone = joinSignals([c.req.raw.signal, life.signal], s * 1_000);
  try {
    const job = await jobWatch.ended(job_id, s * 1_000, gone.signal);
    if (isPreference) c.header("Preference-Applied", `wait=${s}`);
    return job;
  } catch (error) {
    if (!(error instanceof TooManyFollowersError)) throw error;
    return null;
  } finally {
    gone.release();
    life.end();
    c.set("waited_ms", clock.monotonic_ms() - begin_ms);
  }
}
