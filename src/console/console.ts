/** Mounts the web console: one page for every address below /console, and the files it needs. */
import type { Context, Env, Hono } from "hono";
import { type Asset, bundleOnce } from "./bundle.ts";
import { PAGE_HEADERS, page, WORKER_POLICY } from "./page.ts";

const BASE = "/console";

interface ConsoleOptions {
  /** Told when the client could not be bundled in the background; requests try again. */
  readonly onError?: (error: unknown) => void;
}

/** Data comes from the API with the visitor's session; what is served here holds none. */
export function mountConsole<E extends Env>(app: Hono<E>, { onError }: ConsoleOptions = {}): void {
  const bundle = bundleOnce();
  // The first visitor need not wait for the bundler.
  bundle().catch((error: unknown) => onError?.(error));

  app.get(`${BASE}/assets/:file`, async (c) => {
    const { assets, worker } = await bundle();
    const file = c.req.param("file") ?? "";
    const asset = assets.get(file);
    if (file === worker) c.header("Content-Security-Policy", WORKER_POLICY);
    return asset ? answerAsset(c, asset) : c.notFound();
  });
  const answerPage = async (c: Context) => {
    for (const [name, value] of Object.entries(PAGE_HEADERS)) c.header(name, value);
    return c.html(page(await bundle(), BASE));
  };
  app.get(BASE, answerPage);
  app.get(`${BASE}/:page{.+}`, answerPage);
}

function answerAsset(c: Context, { type, body, gzipped }: Asset): Response {
  const zip = /\bgzip\b/.test(c.req.header("Accept-Encoding") ?? "");
  c.header("Content-Type", type);
  c.header("Cache-Control", "public, max-age=31536000, immutable");
  c.header("Vary", "Accept-Encoding");
  if (zip) c.header("Content-Encoding", "gzip");
  return c.body(zip ? gzipped : body);
}
