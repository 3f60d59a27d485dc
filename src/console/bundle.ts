/** The console's client: bundled once in this process, kept in memory under names that carry a hash of the content. */
import { createHash } from "node:crypto";
import { basename, extname, join } from "node:path";

export interface Asset {
  readonly type: string;
  readonly body: Uint8Array<ArrayBuffer>;
  readonly gzipped: Uint8Array<ArrayBuffer>;
}

export interface Bundle {
  /** Name of the file that starts the client. */
  readonly script: string;
  readonly style: string;
  /** Name of the file that all tabs of a visitor run once: events-worker.ts. */
  readonly worker: string;
  /** By file name. */
  readonly assets: ReadonlyMap<string, Asset>;
}

const ENTRIES = ["main.tsx", "events-worker.ts"].map((file) => join(import.meta.dir, "client", file));
const TYPES: Readonly<Record<string, string>> = {
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
};

/** @throws {AggregateError} when the client does not compile */
async function buildBundle(): Promise<Bundle> {
  const { outputs } = await Bun.build({
    entrypoints: ENTRIES,
    target: "browser",
    minify: true,
    // As in the client's tsconfig.json, which an image of the service may lack.
    jsx: { runtime: "automatic", importSource: "preact", development: false },
  });
  const assets = new Map<string, Asset>();
  const names: Record<string, string> = {};
  for (const output of outputs) {
    const extension = extname(output.path);
    const body = new Uint8Array(await output.arrayBuffer());
    // Our own hash: equal content has an equal name, whatever the bundler puts into its own.
    const name = `console-${createHash("sha256").update(body).digest("hex").slice(0, 16)}${extension}`;
    const type = TYPES[extension];
    if (type === undefined) throw new Error(`the bundle holds a file of an unknown kind: ${output.path}`);
    assets.set(name, { type, body, gzipped: Bun.gzipSync(body, { level: 9 }) });
    names[basename(output.path)] = name;
  }
  return {
    script: names["main.js"]!,
    style: names["main.css"]!,
    worker: names["events-worker.js"]!,
    assets,
  };
}

/** The bundle on first use; a failed attempt is forgotten, so that the next request tries again. */
export function bundleOnce(build: () => Promise<Bundle> = buildBundle): () => Promise<Bundle> {
  let bundle: Promise<Bundle> | undefined;
  return () => {
    bundle ??= build().catch((error: unknown) => {
      bundle = undefined;
      throw error;
    });
    return bundle;
  };
}
