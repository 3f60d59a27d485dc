/** Ids that need no registry: the same names give the same id on every machine and in every run. */
import { createHash } from "node:crypto";

/**
 * Name-based UUID, version 5 (RFC 9562 section 5.5), lower case.
 * @param namespace a UUID, in either case
 */
export function uuidV5(namespace: string, name: string): string {
  const hash = createHash("sha1");
  hash.update(Buffer.from(namespace.replaceAll("-", ""), "hex")).update(name, "utf8");
  const bytes = hash.digest().subarray(0, 16);
  bytes[6] = (bytes[6]! & 0x0f) | 0x50;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  const hex = bytes.toString("hex");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}
