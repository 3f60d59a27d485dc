/** Entity tags (RFC 9110 section 8.8.3) and the conditions that name them (section 13.1). */
import { createHash } from "node:crypto";
import type { Context } from "hono";
import { invalidParameter } from "./parameters.ts";

/** The tag of the `n`th version of something. */
export function versionTag(version: number): string {
  return `"${version}"`;
}

/** A strong tag made from the bytes of an answer. */
export function contentTag(body: string | Uint8Array): string {
  return `"${createHash("sha256").update(body).digest("base64url").slice(0, 27)}"`;
}

/** One or more entity tags between commas. */
const TAG_LIST = /^\s*(?:W\/)?"[^"]*"(?:\s*,\s*(?:W\/)?"[^"]*")*\s*$/;
/** For the document: what `matchedVersions` reads. */
export const TAG_LIST_OR_ANY = `^\\s*\\*\\s*$|${TAG_LIST.source}`;
const TAG = /(W\/)?("[^"]*")/g;

/** True when If-None-Match names the tag: the client has this answer already. Compared weakly (section 13.1.2). */
export function isKnownTag(header: string | undefined, tag: string): boolean {
  if (header === undefined) return false;
  if (header.trim() === "*") return true;
  return TAG_LIST.test(header) && header.matchAll(TAG).some(([, , named]) => named === tag);
}

/**
 * The versions that If-Match lets be changed; null when any may be (no header, or `*`). Weak tags match nothing
 * (section 13.1.1), and neither do tags that this service did not make.
 * @throws {ProblemError} invalid-request when the header is no list of entity tags
 */
export function matchedVersions(c: Context): readonly number[] | null {
  const header = c.req.header("If-Match");
  if (header === undefined || header.trim() === "*") return null;
  if (!TAG_LIST.test(header)) throw invalidParameter("If-Match", 'entity tags such as "3", or *');
  return header
    .matchAll(TAG)
    .filter(([, weak]) => weak === undefined)
    .map(([, , tag]) => /^"(\d{1,16})"$/.exec(tag ?? "")?.[1])
    .filter((version) => version !== undefined)
    .map(Number)
    .toArray();
}
