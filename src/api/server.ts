/** The HTTP server around the app: bounds of a connection, and an ordered stop. */
import type { Logger } from "../ops/log.ts";
import { DeadlineError, withDeadline } from "../ops/retry.ts";
import type { App, ServerBindings } from "./deps.ts";

/** Bun's largest idle timeout, s. */
const MAX_IDLE_TIMEOUT_S = 255;
/** Time between the API's own refusal of a slow body and the server's cut of the connection, s. */
const IDLE_MARGIN_S = 10;

/** Another program listens on the port. */
export class PortTakenError extends Error {
  override readonly name = "PortTakenError";
  constructor(
    readonly hostname: string,
    readonly port: number,
    cause: unknown,
  ) {
    super(`port ${port} of ${hostname} is taken`, { cause });
  }
}

export interface ServerSettings {
  readonly hostname: string;
  /** 0: any free port. */
  readonly port: number;
  /** The API's bound for a body's arrival, ms. */
  readonly body_timeout_ms: number;
  readonly log: Logger;
}

export interface RunningServer {
  /** Without a last slash. */
  readonly url: string;
  readonly port: number;
  /**
   * Stop accepting, let requests in work end, then close what is left after `grace_ms`. Idle connections are
   * closed at once. Resolves when nothing is open any more.
   */
  stop(grace_ms: number): Promise<void>;
}

/**
 * Serve the app.
 * @throws {PortTakenError}
 */
export function startServer(app: App, settings: ServerSettings): RunningServer {
  const server = listen(app, settings);
  const host = settings.hostname.includes(":") ? `[${settings.hostname}]` : settings.hostname;
  const port = server.port ?? settings.port;
  return {
    url: `http://${host}:${port}`,
    port,
    async stop(grace_ms) {
      try {
        await withDeadline(server.stop(), grace_ms, "requests in work");
      } catch (error) {
        if (!(error instanceof DeadlineError)) throw error;
        settings.log.warn({ pending: server.pendingRequests, grace_ms }, "requests are cut off");
        await server.stop(true);
      }
    },
  };
}

function listen(app: App, { hostname, port, body_timeout_ms, log }: ServerSettings) {
  // Bun counts the idle timeout from the last byte sent, not received: it must outlast the longest body.
  const idleTimeout = Math.min(MAX_IDLE_TIMEOUT_S, Math.ceil(body_timeout_ms / 1000) + IDLE_MARGIN_S);
  const outlasts = idleTimeout * 1000 > body_timeout_ms;
  let bindings: ServerBindings | undefined;
  const bindingsOf = (server: Bun.Server<undefined>): ServerBindings => ({
    peerAddress: (request) => server.requestIP(request)?.address ?? "unknown",
    ...(outlasts ? {} : { allowSlowBody: (request) => server.timeout(request, 0) }),
  });
  try {
    return Bun.serve({
      hostname,
      port,
      idleTimeout,
      // The API refuses large bodies itself, with a problem; Bun's own answer has no body. Unread bytes are
      // dropped as they come and take no memory.
      maxRequestBodySize: Number.MAX_SAFE_INTEGER,
      fetch(request, server) {
        bindings ??= bindingsOf(server);
        return app.fetch(request, bindings);
      },
      error(err) {
        // Hono answers every error itself; what comes here was thrown around it.
        log.error({ err }, "the HTTP server failed");
        return new Response(null, { status: 500 });
      },
    });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EADDRINUSE") throw error;
    throw new PortTakenError(hostname, port, error);
  }
}
