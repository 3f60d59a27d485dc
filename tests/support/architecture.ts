/** Checks the direction of imports, circles of them, and where the environment is read, on the text of source files. */
import { dirname, join, normalize } from "node:path";

/** A source file: its path within src, and its text. */
export interface SourceFile {
  readonly path: string;
  readonly text: string;
}

/** Put together by the composition root. */
const WIRED: readonly string[] = [
  "verify",
  "api",
  "review",
  "notify",
  "ingest",
  "console",
  "feed",
  "services",
  "stream",
  "store",
  "contract",
  "ops",
  "config",
];

/**
 * Which parts may import which; each part may import itself. `config` is a part of its own: it is read by the
 * composition root, and others may know the type of what they are given (`import type`).
 */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  main: ["commands", ...WIRED],
  commands: WIRED,
  // Asks what the API asks, of data that the simulator makes up.
  verify: ["api", "feed", "stream", "store", "contract", "ops"],
  api: ["review", "notify", "stream", "store", "contract", "ops"],
  // Webhooks: sent by a worker; where one may lead is also asked when it is made.
  notify: ["store", "contract", "ops"],
  // Decisions about quarantined readings: taken in a request, or in the background of a worker.
  review: ["store", "contract", "ops"],
  ingest: ["stream", "store", "contract", "ops"],
  console: ["stream", "store", "contract", "ops"],
  feed: ["client", "stream", "store", "contract", "ops"],
  // Runs with those who send: nothing of the server, and no package either (see STANDS_ALONE).
  client: [],
  services: ["stream", "store", "contract", "ops"],
  stream: ["contract", "ops"],
  store: ["contract", "ops"],
  contract: ["ops"],
  config: [],
  ops: [],
};

const IMPORT =
  /\b(?:import|export)\s+(type\s)?[^"';]*?\bfrom\s*["']([^"']+)["']|\bimport\s*\(?\s*["']([^"']+)["']|\bnew URL\(\s*["'](\.[^"']+\.ts)["']/g;
const ENVIRONMENT =
  /\b(?:process|Bun|import\.meta)\s*(?:\??\.\s*env\b|\[\s*["'`]env["'`]\s*\])|\benv\b[^;]*\bfrom\s*["'](?:node:)?process["']/;
/** The one file that may read the environment. */
const ENVIRONMENT_READER = "config.ts";

/** Imports that are not files: these parts may only have what comes with the runtimes, Node.js among them. */
const STANDS_ALONE: readonly string[] = ["client"];

/** The one file outside src that may be imported: it holds the version. */
const PACKAGE = "../package.json";

/** The part a file belongs to: its first folder, or its own name. */
const partOf = (path: string) => path.split("/")[0]!.replace(/\.[jt]s$/, "");

/** Every violation as `file: what`, empty when there is none. */
export function violations(files: readonly SourceFile[]): string[] {
  return files.flatMap(({ path, text }) => [
    ...importViolations(path, text),
    ...environmentViolations(path, text),
  ]);
}

function importViolations(path: string, text: string): string[] {
  const part = partOf(path);
  const allowed = MAY_IMPORT[part];
  if (!allowed) return [`${path}: no rule says what "${part}" may import`];
  return [...text.matchAll(IMPORT)].flatMap(([, typeOnly, from, direct, url]) => {
    const target = from ?? direct ?? url ?? "";
    if (!target.startsWith(".")) {
      const foreign = STANDS_ALONE.includes(part) && !target.startsWith("node:");
      return foreign ? [`${path}: ${part} imports the package ${target}`] : [];
    }
    const file = normalize(join(dirname(path), target));
    if (file === PACKAGE) return [];
    if (file.startsWith("..")) return [`${path}: imports ${target} from outside src`];
    const other = partOf(file);
    const onlyType = other === "config" && typeOnly !== undefined && part !== "ops" && part !== "contract";
    return other === part || allowed.includes(other) || onlyType
      ? []
      : [`${path}: ${part} imports ${other} (${file})`];
  });
}

/**
 * Files that import each other in a circle, types included: whoever reads one of them has to read them all. A file
 * that is started as a thread is a program of its own, and no import.
 * @param files all of one tree
 * @returns each circle once, as `a -> b -> a`; empty when there is none
 */
export function circles(files: readonly SourceFile[]): string[] {
  const imports = new Map(files.map(({ path, text }) => [path, importsOf(path, text)]));
  const done = new Set<string>();
  const found: string[] = [];
  const follow = (path: string, way: readonly string[]): void => {
    if (way.includes(path)) {
      found.push([...way.slice(way.indexOf(path)), path].join(" -> "));
      return;
    }
    if (done.has(path)) return;
    for (const next of imports.get(path) ?? []) follow(next, [...way, path]);
    done.add(path);
  };
  for (const path of imports.keys()) follow(path, []);
  return found;
}

function importsOf(path: string, text: string): string[] {
  return [...text.matchAll(IMPORT)].flatMap(([, , from, direct]) => {
    const target = from ?? direct;
    return target?.startsWith(".") ? [normalize(join(dirname(path), target))] : [];
  });
}

function environmentViolations(path: string, text: string): string[] {
  if (path === ENVIRONMENT_READER || !ENVIRONMENT.test(text)) return [];
  return [`${path}: reads the environment`];
}
