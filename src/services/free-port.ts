/** Loopback TCP ports for private instances. */
import { createServer } from "node:net";
import { ServicesError } from "./services-error.ts";

// Below the ephemeral range of Linux (32768-60999, ip_local_port_range) and macOS (49152-65535), so that an
// outgoing connection of another program cannot sit on a remembered port.
const FIRST_PORT = 20_000;
const LAST_PORT = 32_000;
const MAX_TRIES = 200;

/** True when 127.0.0.1:`port` can be listened on right now. */
export function isPortFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen({ port, host: "127.0.0.1", exclusive: true }, () => server.close(() => resolve(true)));
  });
}

/**
 * The remembered port when it is still free, else a random free one that is not in `avoid`.
 *
 * @throws ServicesError `start-failed` when no port is free
 */
export async function choosePort(remembered: number | undefined, avoid: readonly number[]): Promise<number> {
  if (remembered !== undefined && !avoid.includes(remembered) && (await isPortFree(remembered)))
    return remembered;
  for (let attempt = 0; attempt < MAX_TRIES; attempt++) {
    const port = FIRST_PORT + Math.floor(Math.random() * (LAST_PORT - FIRST_PORT));
    if (!avoid.includes(port) && (await isPortFree(port))) return port;
  }
  throw new ServicesError(
    "start-failed",
    `No free port between ${FIRST_PORT} and ${LAST_PORT} on 127.0.0.1`,
    "Stop programs that listen there, or set DATABASE_URL and REDIS_URL to services of your own.",
  );
}
