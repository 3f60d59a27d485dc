/** Whether a text is found by the index of trigrams, by what the server says of it. */
import { expect, test } from "bun:test";
import { isRare } from "../../../src/store/queries/quarantine-looks.ts";
import type { Reader, Statement } from "../../../src/store/queries/reader.ts";

/** A server that would read the index for a few rows. */
function server(known: boolean) {
  const plan = JSON.stringify([{ Plan: { "Node Type": "Bitmap Heap Scan", "Plan Rows": 5 } }]);
  const asked: string[] = [];
  const rows = async ({ text }: Statement) => {
    asked.push(text);
    return [text.startsWith("EXPLAIN") ? { "QUERY PLAN": plan } : { known }];
  };
  return { asked, reader: { rows } as unknown as Reader };
}

test.each([
  ["above", false, true],
  ["above", true, true],
  ["давление", false, false],
  ["давление", true, true],
  ["unit “фурлонг”", false, false],
  ["ие", true, false],
])("%s, on a server whose libc knows more letters than ASCII: %p", async (q, known, found) => {
  expect(await isRare(server(known).reader, q)).toBe(found);
});

test("a text of ASCII asks for nothing but the estimate", async () => {
  const { asked, reader } = server(false);
  await isRare(reader, "above");
  expect(asked).toHaveLength(1);
});
