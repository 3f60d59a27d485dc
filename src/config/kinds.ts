/** The kinds of variables that the environment may hold. */
import { isIP } from "node:net";

/** One variable: how it is read, what it may be, and what people are told about it. */
export interface Variable<T> {
  readonly fallback: T;
  readonly about: string;
  readonly allowed: string;
  /** Returns undefined when the text is not allowed. */
  readonly read: (text: string) => T | undefined;
}

/** A text of a pattern. @param about what it is for, and `allowed` what it may be, as `.env.example` says it */
export function text<T extends string | undefined>(
  fallback: T,
  about: string,
  allowed: string,
  pattern: RegExp,
) {
  return { fallback, about, allowed, read: (t: string) => (pattern.test(t) ? t : undefined) } as Variable<
    T | string
  >;
}

/** A whole number within bounds, both of which are allowed. */
export function whole<T extends number | undefined>(
  fallback: T,
  about: string,
  min: number,
  max: number,
): Variable<T | number> {
  const read = (t: string) => {
    const n = /^\d{1,15}$/.test(t) ? Number(t) : Number.NaN;
    return n >= min && n <= max ? n : undefined;
  };
  return { fallback, about, allowed: `a whole number from ${min} to ${max}`, read };
}

/** A number from 0 to 1. */
export function share(fallback: number, about: string): Variable<number> {
  const read = (t: string) => {
    const n = /^(0|1|[01]?\.\d{1,9})$/.test(t) ? Number(t) : Number.NaN;
    return n >= 0 && n <= 1 ? n : undefined;
  };
  return { fallback, about, allowed: "a number from 0 to 1", read };
}

/** Networks in CIDR notation; none by default. */
export function networks(about: string): Variable<readonly string[]> {
  const read = (t: string) => {
    const list = t === "" ? [] : t.split(",").map((network) => network.trim());
    return list.every(isNetwork) ? list : undefined;
  };
  return { fallback: [], about, allowed: "networks between commas, such as 10.1.0.0/16,fd00::/8", read };
}
/** Names and values as OpenTelemetry's variables have them: between commas, percent-encoded (W3C Baggage). */
export function pairs(about: string): Variable<Readonly<Record<string, string>> | undefined> {
  const read = (t: string) => {
    const list = t.split(",").flatMap((pair) => (pair.trim() === "" ? [] : [readPair(pair)]));
    return list.every((pair) => pair !== undefined) ? Object.fromEntries(list) : undefined;
  };
  return { fallback: undefined, about, allowed: "names and values between commas, such as a=1,b=2", read };
}
function readPair(text: string): [string, string] | undefined {
  const [, name, value] = /^\s*([^\s=,;]+)\s*=\s*([\x20-\x7e]*?)\s*$/.exec(text) ?? [];
  if (name === undefined || value === undefined) return undefined;
  try {
    return [name, decodeURIComponent(value)];
  } catch {
    return undefined;
  }
}
/** CIDR notation (RFC 4632, RFC 4291). */
function isNetwork(text: string): boolean {
  const [, address = "", prefix = ""] = /^([0-9a-fA-F.:]+)\/(\d{1,3})$/.exec(text) ?? [];
  return isIP(address) !== 0 && Number(prefix) <= (isIP(address) === 4 ? 32 : 128);
}

/** One of some words. */
export function choice<const T extends string>(
  fallback: T,
  about: string,
  values: readonly T[],
): Variable<T> {
  return {
    fallback,
    about,
    allowed: `one of ${values.join(", ")}`,
    read: (t) => values.find((v) => v === t),
  };
}
