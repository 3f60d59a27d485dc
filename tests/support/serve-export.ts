/** A server whose one answer is an export of pieces made up by a test, behind the real HTTP server. */
import { createConnection, type Socket } from "node:net";
import { Hono } from "hono";
import { Registry } from "prom-client";
import type { App, AppEnv } from "../../src/api/app-env.ts";
import type { Claims } from "../../src/api/auth/claims.ts";
import { type ExportSettings, Exports } from "../../src/api/formats/export.ts";
import { ProblemError, problemResponse } from "../../src/api/problem-error.ts";
import { startServer } from "../../src/api/server.ts";
import { createLogger } from "../../src/ops/log.ts";
import { sleep } from "../../src/ops/retry.ts";
import { QueryAbortedError } from "../../src/store/queries/query-errors.ts";

interface ServedExport {
  readonly pieces: number;
  /** The piece that fails instead. */
  readonly failAt?: number;
  /** To make a piece, ms. */
  readonly making_ms?: number;
  readonly bounds?: ExportSettings["bounds"];
}

/** 64 KiB a piece, up to a number of pieces; `?user=` says who asks. */
export function serveExport({ pieces, failAt, making_ms = 0, bounds }: ServedExport) {
  const made = { pieces: 0, aborted: false };
  const connection = { isOver: false };
  const lines: string[] = [];
  const into = { write: (line: string) => lines.push(line) > 0 } as unknown as NodeJS.WritableStream;
  const log = createLogger({ level: "debug", format: "json" }, into);
  const metrics = new Registry();
  const credential = new AbortController();
  const tokens = { lifeOf: () => ({ signal: credential.signal, end: () => undefined }) };
  const exports = new Exports({ log, metrics, tokens, ...(bounds === undefined ? {} : { bounds }) });
  const next = async (signal: AbortSignal) => {
    signal.addEventListener("abort", () => {
      made.aborted = true;
    });
    await sleep(making_ms, signal);
    if (signal.aborted) throw new QueryAbortedError();
    if (made.pieces === failAt) throw new Error("the database is gone");
    if (made.pieces >= pieces) return null;
    made.pieces += 1;
    return crypto.getRandomValues(Buffer.alloc(32_768)).toString("hex");
  };
  const app: App = new Hono<AppEnv>();
  app.get("/", (c) => {
    const user = c.req.query("user") ?? "somebody";
    c.set("claims", { sub: user, username: user } as Claims);
    c.req.raw.signal.addEventListener("abort", () => {
      connection.isOver = true;
    });
    return exports.answer(c, next, {});
  });
  app.onError((error, c) =>
    error instanceof ProblemError ? problemResponse(c, error) : c.text(error.name, 500),
  );
  const settings = { hostname: "127.0.0.1", port: 0, trusted_proxies: [], log };
  // Bun's own timeout of silent connections would cut them after 250 s: no test waits for it.
  const server = startServer(app, { ...settings, body_timeout_ms: 240_000, query_deadline_ms: 1_000 });
  /** How many ended so. */
  const ended = async (outcome: string) => {
    const text = await metrics.metrics();
    return Number(
      new RegExp(`^hydraulic_downloads_total\\{outcome="${outcome}"\\} (\\d+)$`, "m").exec(text)?.[1],
    );
  };
  const endCredential = () => credential.abort();
  return {
    server,
    made,
    connection,
    exports,
    lines,
    ended,
    endCredential,
    url: server.url,
    stop: () => server.stop(1),
  };
}

/** The bytes of an answer as they come from the socket. */
export function rawGet(
  port: number,
  headers = "",
  path = "/",
): { socket: Socket; read: () => string; closed: Promise<void> } {
  const socket = createConnection(port, "127.0.0.1");
  let text = "";
  socket.on("data", (data) => {
    text += data.toString("latin1");
  });
  const closed = new Promise<void>((resolve) => socket.on("close", () => resolve()));
  socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\n${headers}Connection: close\r\n\r\n`);
  return { socket, read: () => text, closed };
}

/** A client that has begun to read and reads no more. */
export async function stuckGet(port: number, headers = "", path = "/") {
  const client = rawGet(port, headers, path);
  await new Promise<void>((resolve) => client.socket.once("data", () => resolve()));
  client.socket.pause();
  return client;
}

export const LAST_CHUNK = /\r\n0\r\n\r\n$/;
