/** Batches in lines that nobody can take apart, so that nothing of them can be quarantined either. */
import type { Chance } from "../../../src/feed/simulate/chance.ts";
import { bearer, type Header, type HostileCase, hostile, request } from "../case.ts";
import type { Ground } from "../ground.ts";
import { goodReading, nastyEscape, nastyHeader } from "../nasty.ts";

const HEADER = "sensor_id,timestamp,value,unit";
const NOT_UTF8 = "\xc3\x28\xff";

const CSV: readonly ((chance: Chance) => readonly [string, string])[] = [
  () => ["without a line", ""],
  () => ["without a header", "\n\n\r\n"],
  () => ["a column is missing", "sensor_id,timestamp,value\na,b,c\n"],
  () => ["a column twice", `${HEADER},value\na,b,1,bar,2\n`],
  (chance) => ["columns without end", `${HEADER}${",x".repeat(61 + chance.below(5_000))}\n`],
  () => ["a quotation without an end", `${HEADER}\n"a,b,1,bar\n`],
  () => ["a quoted header without an end", `"${HEADER}\n`],
  (chance) => ["quotation marks", '"'.repeat(1 + 2 * chance.below(50_000))],
  (chance) => ["too many", `${HEADER}\n${"a,b,1,bar\n".repeat(10_001 + chance.below(50))}`],
  () => ["a header alone", `${HEADER}\n`],
  () => ["not UTF-8", `${HEADER}\n${NOT_UTF8},b,1,bar\n`],
];

const NDJSON: readonly ((chance: Chance) => readonly [string, string])[] = [
  () => ["without a line", ""],
  (chance) => ["blank lines", "\n \r\n\t\n".repeat(1 + chance.below(5_000))],
  (chance) => ["too many", "0\n".repeat(10_001 + chance.below(50))],
  (chance) => ["not UTF-8", `${goodReading(chance)}\n${NOT_UTF8}\n`],
];

const LINES: readonly ((chance: Chance) => readonly [string, string])[] = [
  () => ["without a line", ""],
  () => ["comments", "# a comment\n\n#another"],
  () => ["a quotation without an end", 'm,t=a f="never 1\nm f=2'],
  (chance) => ["a long quotation without an end", `m f="${"a\\n".repeat(chance.below(50_000))}`],
  (chance) => ["too many fields", `m ${"f=1,".repeat(10_000 + chance.below(50))}f=1`],
  (chance) => ["too many lines", "m f=1\n".repeat(10_001 + chance.below(50))],
  () => ["not UTF-8", `m f=1\n${NOT_UTF8} f=2\n`],
];

function lineProtocol({ victim, producer }: Ground, chance: Chance): HostileCase {
  const isGoodBody = chance.below(3) === 0;
  const [name, text] = isGoodBody ? ["m f=1", "m f=1\n"] : chance.pick(LINES)(chance);
  const query = isGoodBody
    ? chance.pick([
        "",
        "?bucket=",
        "?bucket=nobody",
        `?bucket=${nastyEscape(chance)}`,
        `?bucket=${victim}&precision=h`,
      ])
    : `?bucket=${victim}&precision=${chance.pick(["ns", "us", "ms", "s"])}`;
  const bytes = request("POST", `/api/v2/write${query}`, [bearer(producer)], Buffer.from(text, "latin1"));
  const shape = isGoodBody ? "a bucket that is none" : name;
  return hostile("line protocol", shape, bytes, { operation: "writeLineProtocol" });
}

export function formats(ground: Ground, chance: Chance): HostileCase {
  if (chance.below(3) === 0) return lineProtocol(ground, chance);
  const { victim, producer } = ground;
  const isCsv = chance.below(2) === 0;
  const [name, text] = chance.pick(isCsv ? CSV : NDJSON)(chance);
  const type: Header = ["Content-Type", isCsv ? "text/csv" : "application/x-ndjson"];
  const target = `/api/v1/data/ingest?system_id=${victim}`;
  const bytes = request("POST", target, [bearer(producer), type], Buffer.from(text, "latin1"));
  return hostile(isCsv ? "CSV" : "NDJSON", name, bytes, { operation: "ingestBatch" });
}

/** Good batches under keys, systems and waits that are none. */
export function besideBodies({ victim, producer }: Ground, chance: Chance): HostileCase {
  const line = goodReading(chance);
  const json: Header = ["Content-Type", "application/json"];
  const lines: Header = ["Content-Type", "application/x-ndjson"];
  const batch = `{"system_id":"${victim}","readings":[${line}]}`;
  const ingest = "/api/v1/data/ingest";
  const [shape, target, headers, body] = chance.pick<readonly [string, string, readonly Header[], string]>([
    ["an empty key", ingest, [json, ["Idempotency-Key", ""]], batch],
    ["a long key", ingest, [json, ["Idempotency-Key", "k".repeat(256 + chance.below(4_000))]], batch],
    ["a key with blanks", ingest, [json, ["Idempotency-Key", "a b"]], batch],
    ["a key beyond ASCII", ingest, [json, ["Idempotency-Key", "k\xe9y"]], batch],
    // The key is claimed, and must be free again.
    ["a key for no batch", ingest, [json, ["Idempotency-Key", `k${chance.below(50)}`]], `${batch}]`],
    ["no system", ingest, [lines], line],
    ["a system that is none", `${ingest}?system_id=${nastyEscape(chance)}x`, [lines], line],
    ["an unknown wait", `${ingest}?wait=for+ever`, [json, ["Prefer", nastyHeader(chance)]], batch],
  ]);
  const bytes = request("POST", target, [bearer(producer), ...headers], Buffer.from(body));
  return hostile("keys and queries", shape, bytes, { operation: "ingestBatch" });
}
