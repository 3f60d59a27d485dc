/** Pages of the documentation, and what they say that can be looked up. */
import { existsSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { Glob } from "bun";
import { ROOT, textOf } from "./deploy.ts";

export interface Page {
  /** Within the repository. */
  readonly path: string;
  readonly text: string;
}

/** README.md, everything in docs, and the pages beside results. */
export async function pages(): Promise<Page[]> {
  const paths = await filesOf(["README.md", "docs/**/*.md", "load/**/*.md"]);
  return Promise.all(paths.map(async (path) => ({ path, text: await textOf(path) })));
}

/** Links within the repository that lead to no file, or to no heading of it. */
export function brokenLinks(all: readonly Page[]): string[] {
  const anchors = new Map(all.map(({ path, text }) => [path, anchorsOf(text)]));
  return all.flatMap(({ path, text }) =>
    [...text.matchAll(/\]\((?!https?:|mailto:)([^)\s#]*)(?:#([^)\s]+))?\)/g)].flatMap(
      ([link, file, anchor]) => {
        const target = file ? normalize(join(dirname(path), file)) : path;
        const isThere =
          existsSync(ROOT + target) && (anchor === undefined || anchors.get(target)?.has(anchor));
        return isThere ? [] : [`${path}: ${link}`];
      },
    ),
  );
}

/** As GitHub makes them of headings. */
function anchorsOf(text: string): ReadonlySet<string> {
  const headings = [...text.matchAll(/^#{1,6} (.+)$/gm)].map(([, heading = ""]) => heading);
  return new Set(
    headings.map((one) =>
      one
        .toLowerCase()
        .replace(/[^\p{L}\p{N}_ -]/gu, "")
        .replaceAll(" ", "-"),
    ),
  );
}

/** Each match of the pattern's first group, as `page: match`, for which `isKnown` is false. */
export function unknown(
  all: readonly Page[],
  pattern: RegExp,
  isKnown: (match: string, page: Page) => boolean,
): string[] {
  return all.flatMap((page) =>
    [...page.text.matchAll(pattern)].flatMap(([, match = ""]) =>
      isKnown(match, page) ? [] : [`${page.path}: ${match}`],
    ),
  );
}

/** The text of all files that fit, for names that stand somewhere in them. */
export async function textOfAll(patterns: readonly string[]): Promise<string> {
  return (await Promise.all((await filesOf(patterns)).map(textOf))).join("\n");
}

async function filesOf(patterns: readonly string[]): Promise<string[]> {
  const found = patterns.map((pattern) => Array.fromAsync(new Glob(pattern).scan(ROOT)));
  return (await Promise.all(found)).flat().sort();
}
