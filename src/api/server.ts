/** The HTTP server around the app: bounds of a connection, and an ordered stop. */
import { PROBLEM_MEDIA_TYPE, PROBLEMS, type ProblemDetails, problemType } from "../contract/problem.ts";
import type { Logger } from "../ops/log.ts";
import { DeadlineError, withDeadline } from "../ops/retry.ts";
import type { App, ServerBindings } from "./app-env.ts";
import { clientAddresses } from "./client-address.ts";
import { requestIdFrom } from "./middleware/observe.ts";
import { SECURITY_HEADERS } from "./security-headers.ts";

/** Bun's largest idle timeout, s. */
const MAX_IDLE_TIMEOUT_S = 255;
/** Time between the API's own refusal of a slow body or query and the server's cut of the connection, s. */
const IDLE_MARGIN_S = 10;
/** Of a stop's time, until requests in work are answered whether they are done or not; the rest is for these answers. */
const PATIENT_SHARE = 0.85;

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
  /** Networks as CIDR of proxies whose X-Forwarded-For is believed. */
  readonly trusted_proxies: readonly string[];
  /** The API's bound for a body's arrival, ms. */
  readonly body_timeout_ms: number;
  /** The database's bound for a query, ms. Nothing is sent while one runs. */
  readonly query_deadline_ms: number;
  readonly log: Logger;
}

export interface RunningServer {
  /** Without a last slash. */
  readonly url: string;
  readonly port: number;
  /**
   * Stop accepting and let requests in work end. Idle connections are closed at once. What is left when most of
   * `grace_ms` is over is to be answered then; what is left at its end is closed. Resolves when nothing is open any more.
   * @param hurry makes the app answer what is in work
   */
  stop(grace_ms: number, hurry?: () => void): Promise<void>;
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
    async stop(grace_ms, hurry = () => undefined) {
      const drained = server.stop();
      if (await isDone(drained, grace_ms * PATIENT_SHARE)) return;
      settings.log.warn(
        { pending: server.pendingRequests },
        "requests take too long for the stop: answered now",
      );
      hurry();
      if (await isDone(drained, grace_ms * (1 - PATIENT_SHARE))) return;
      settings.log.warn({ pending: server.pendingRequests, grace_ms }, "requests are cut off");
      await server.stop(true);
    },
  };
}

/** False when it takes longer than `deadline_ms`. */
async function isDone(work: Promise<unknown>, deadline_ms: number): Promise<boolean> {
  try {
    await withDeadline(work, deadline_ms, "requests in work");
    return true;
  } catch (error) {
    if (error instanceof DeadlineError) return false;
    throw error;
  }
}

/** Bun counts it from the last byte sent, not received: it must outlast the longest body and the longest query. */
export function idleTimeout_s(bounds: Pick<ServerSettings, "body_timeout_ms" | "query_deadline_ms">): number {
  const longest_ms = Math.max(bounds.body_timeout_ms, bounds.query_deadline_ms);
  return Math.min(MAX_IDLE_TIMEOUT_S, Math.ceil(longest_ms / 1000) + IDLE_MARGIN_S);
}

function listen(app: App, settings: ServerSettings) {
  const { hostname, port, log } = settings;
  const idleTimeout = idleTimeout_s(settings);
  let bindings: ServerBindings | undefined;
  try {
    return Bun.serve({
      hostname,
      port,
      idleTimeout,
      // The API refuses large bodies itself, with a problem; Bun's own answer has no body. Unread bytes are
      // dropped as they come and take no memory.
      maxRequestBodySize: Number.MAX_SAFE_INTEGER,
      fetch(request, server) {
        // Of a Host that is none Bun makes an address without one, which is no URL any more.
        if (!URL.canParse(request.url)) return ownProblem("invalid-request", INVALID_HOST);
        bindings ??= bindingsOf(server, settings, idleTimeout);
        const answer = app.fetch(request, bindings);
        return request.method === "HEAD" ? headOf(answer) : answer;
      },
      error(err) {
        // Hono answers every Error itself; what comes here is a value that is none.
        const request_id = requestIdFrom(undefined);
        log.error({ err, request_id }, "a request failed outside the app");
        return ownProblem("internal-error", { request_id });
      },
    });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EADDRINUSE") throw error;
    throw new PortTakenError(hostname, port, error);
  }
}

/** What the app may ask of its server. */
function bindingsOf(
  server: Bun.Server<undefined>,
  { trusted_proxies, body_timeout_ms }: ServerSettings,
  idle_s: number,
): ServerBindings {
  const addressOf = clientAddresses(trusted_proxies);
  const slowBody: ServerBindings["slowBody"] = {
    begin: (request) => server.timeout(request, 0),
    end: (request) => server.timeout(request, idle_s),
  };
  return {
    clientAddress(request) {
      const peer = server.requestIP(request)?.address;
      return peer === undefined ? "unknown" : addressOf(peer, request.headers.get("X-Forwarded-For"));
    },
    patience: (request, seconds) => server.timeout(request, Math.min(MAX_IDLE_TIMEOUT_S, seconds)),
    ...(idle_s * 1000 > body_timeout_ms ? {} : { slowBody }),
  };
}

/**
 * Hono drops the body of what GET would have answered, and Bun would say that it has 0 bytes, which must not be said
 * (RFC 9110 section 8.6). Of a stream Bun says no length, and sends nothing; one that ends at once it takes for empty.
 */
async function headOf(answer: Response | Promise<Response>): Promise<Response> {
  const unsent = new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(new Uint8Array(1));
      controller.close();
    },
  });
  return new Response(unsent, await answer);
}

/** RFC 9112 section 3.2: to be answered with 400; what follows on this connection is not believed either. */
const INVALID_HOST = {
  detail: "The Host header is not the name and port of a host.",
  headers: { Connection: "close" },
};

interface OwnProblem {
  readonly request_id?: string;
  /** Without it, the explanation of the type. */
  readonly detail?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A problem without the app's help. */
function ownProblem(
  name: "internal-error" | "invalid-request",
  { request_id = requestIdFrom(undefined), detail, headers }: OwnProblem,
): Response {
  const { status, title, about } = PROBLEMS[name];
  const body: ProblemDetails = {
    type: problemType(name),
    title,
    status,
    detail: detail ?? about,
    instance: `urn:uuid:${request_id}`,
  };
  const all = {
    ...SECURITY_HEADERS,
    "Content-Type": PROBLEM_MEDIA_TYPE,
    "X-Request-Id": request_id,
    ...headers,
  };
  return new Response(JSON.stringify(body), { status, headers: all });
}
