/** The page about access shows the table that the flow tests hold against the service. */
import { expect, test } from "bun:test";
import { ACCESS_DOCS, withTable } from "../support/access-docs.ts";

test("docs/access.md has today's table; `bun tests/support/access-docs.ts` writes it", async () => {
  const page = await Bun.file(ACCESS_DOCS).text();
  expect(withTable(page) === page).toBe(true);
});
