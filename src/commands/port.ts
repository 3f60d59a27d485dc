/** The ports that a role listens on: whether they are free, and what people are told when they are not. */
import { createServer } from "node:net";
import { PortTakenError, type RunningServer, startServer } from "../api/server.ts";
import type { Config } from "../config/variables.ts";
import type { Logger } from "../ops/log.ts";
import { CommandError } from "./fail.ts";

/** Where a server listens. */
export interface Place {
  readonly host: string;
  readonly port: number;
  /** The command that starts it on another port. */
  readonly elsewhere: (port: number) => string;
}

/** Where the API listens. */
export const apiPlace = ({ HOST, PORT }: Config): Place => ({
  host: HOST,
  port: PORT,
  elsewhere: (port) => `PORT=${port} npm start`,
});

/** Null: the worker answers nothing. */
export function workerPlace({ HOST, WORKER_OPS_PORT }: Config): Place | null {
  if (WORKER_OPS_PORT === 0) return null;
  const elsewhere = (port: number) => `WORKER_OPS_PORT=${port} npm run hydraulic -- start worker`;
  return { host: HOST, port: WORKER_OPS_PORT, elsewhere };
}

function portTaken({ host, port, elsewhere }: Place): CommandError {
  const other = port < 65_535 ? port + 1 : 8000;
  return new CommandError(
    `port ${port} on ${host} is taken by another program.\nStop that program, or choose another port: ${elsewhere(other)}`,
  );
}

/** Asked before anything is downloaded or started; listening later finds the same if it changes. */
export async function refuseTakenPort(place: Place): Promise<void> {
  const free = await new Promise<boolean>((resolve) => {
    const probe = createServer();
    probe.once("error", (error: NodeJS.ErrnoException) => resolve(error.code !== "EADDRINUSE"));
    probe.listen({ host: place.host, port: place.port }, () => probe.close(() => resolve(true)));
  });
  if (!free) throw portTaken(place);
}

/** Serve the app there. @throws {CommandError} when the port is taken */
export function listen(
  app: Parameters<typeof startServer>[0],
  place: Place,
  { config, log }: { readonly config: Config; readonly log: Logger },
): RunningServer {
  try {
    return startServer(app, {
      hostname: place.host,
      port: place.port,
      trusted_proxies: config.TRUSTED_PROXIES,
      body_timeout_ms: config.BODY_TIMEOUT_MS,
      query_deadline_ms: config.QUERY_DEADLINE_MS,
      log,
    });
  } catch (error) {
    if (error instanceof PortTakenError) throw portTaken(place);
    throw error;
  }
}
