/** Where a piece of work belongs in a trace: W3C Trace Context, level 2. */

/** A span of this or another program. */
export interface TraceContext {
  /** 32 hex digits in small letters. */
  readonly trace_id: string;
  /** 16 hex digits in small letters. */
  readonly span_id: string;
  /** `SAMPLED` and `RANDOM`, nothing else. */
  readonly flags: number;
  /** What other tracing systems say about the trace; passed on unchanged. */
  readonly tracestate?: string;
}

export const SAMPLED = 0x01;
/** The trace id is random as a whole, so that samplers may decide by it. */
export const RANDOM = 0x02;

/** Later versions may say more behind the flags. */
const TRACEPARENT = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
const NO_TRACE = "0".repeat(32);
const NO_SPAN_ID = "0".repeat(16);
const INVALID_VERSION = "ff";
const FIRST_VERSION = "00";

/** A longer one may be dropped (section 3.3.1.5). */
const MAX_TRACESTATE_LENGTH = 512;
const MAX_MEMBERS = 32;
const MEMBER =
  /^[a-z0-9][a-z0-9_\-*/@]{0,255}=[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]$/;

/**
 * The context that two headers, or the metadata of a stream entry, tell of.
 * @returns null when there is none, or when it is not valid: a trace then begins anew
 */
export function parseContext(traceparent: unknown, tracestate?: unknown): TraceContext | null {
  if (typeof traceparent !== "string") return null;
  const [, version, trace_id, span_id, flags, more] = TRACEPARENT.exec(traceparent.trim()) ?? [];
  if (trace_id === undefined || span_id === undefined || flags === undefined) return null;
  if (version === INVALID_VERSION || (version === FIRST_VERSION && more !== undefined)) return null;
  if (trace_id === NO_TRACE || span_id === NO_SPAN_ID) return null;
  const state = validState(tracestate);
  const known = Number.parseInt(flags, 16) & (SAMPLED | RANDOM);
  return { trace_id, span_id, flags: known, ...(state === undefined ? {} : { tracestate: state }) };
}

/** An invalid one is left out as a whole; the trace goes on without it. */
function validState(tracestate: unknown): string | undefined {
  if (typeof tracestate !== "string" || tracestate.length > MAX_TRACESTATE_LENGTH) return undefined;
  const members = tracestate.split(",").map((member) => member.trim());
  const kept = members.filter((member) => member !== "");
  const names = new Set(kept.map((member) => member.slice(0, member.indexOf("="))));
  const isValid =
    kept.length <= MAX_MEMBERS && names.size === kept.length && kept.every((m) => MEMBER.test(m));
  return isValid && kept.length > 0 ? kept.join(",") : undefined;
}

/** What is sent on: the two headers by their names. */
export interface ContextFields {
  readonly traceparent?: string;
  readonly tracestate?: string;
}

/** Headers or metadata that `parseContext` reads again; none without a context. */
export function contextFields(context: TraceContext | null): ContextFields {
  if (context === null) return {};
  const { trace_id, span_id, flags, tracestate } = context;
  const traceparent = `${FIRST_VERSION}-${trace_id}-${span_id}-${flags.toString(16).padStart(2, "0")}`;
  return tracestate === undefined ? { traceparent } : { traceparent, tracestate };
}
