/** The table of access as docs/access.md shows it. `bun tests/support/access-docs.ts` writes it there. */
import { ROLES } from "../../src/contract/roles.ts";
import type { Row } from "./access/row.ts";
import { ACCESS_TABLE } from "./access-table.ts";

export const ACCESS_DOCS = new URL("../../docs/access.md", import.meta.url);
const BEGIN = "<!-- table: made by tests/support/access-docs.ts -->";
const END = "<!-- end of table -->";

const systems = ({ foreign, limited }: Row) => {
  if (limited !== undefined) return `${limited} with a list`;
  if (foreign === undefined) return "";
  return foreign === "not shown" ? "left out" : String(foreign);
};

function line([route, row]: [string, Row]): string {
  const [method = "", path = ""] = route.split(" ");
  const operation = `${method} ${path.replace(/^\/api\/v1/, "").replace(/:(\w+)/g, "{$1}")}`;
  if (row.may === "public") return `| \`${operation}\` | ${ROLES.map(() => "✓").join(" | ")} | public | |`;
  const may = ROLES.map((role) => (row.may.includes(role) ? "✓" : ""));
  return `| \`${operation}\` | ${may.join(" | ")} | ${row.scopes?.join(", ") || "no key"} | ${systems(row)} |`;
}

/** The page with today's table in it. */
export function withTable(page: string): string {
  const table = [
    `| operation | ${ROLES.join(" | ")} | scope of a key | a system out of reach |`,
    `| --- | ${ROLES.map(() => "---").join(" | ")} | --- | --- |`,
    ...Object.entries(ACCESS_TABLE).map(line),
  ];
  const [before, after] = [page.indexOf(BEGIN), page.indexOf(END)];
  if (before < 0 || after < before) throw new Error(`the page has no place for the table: ${BEGIN} … ${END}`);
  return `${page.slice(0, before)}${BEGIN}\n\n${table.join("\n")}\n\n${page.slice(after)}`;
}

if (import.meta.main) await Bun.write(ACCESS_DOCS, withTable(await Bun.file(ACCESS_DOCS).text()));
