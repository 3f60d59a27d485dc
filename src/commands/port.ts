/** The port of the HTTP server: whether it is free, and what people are told when it is not. */

import { createServer } from "node:net";
import type { Config } from "../config.ts";
import { CommandError } from "./fail.ts";

export const portTaken = ({ HOST, PORT }: Config) =>
  new CommandError(
    `port ${PORT} on ${HOST} is taken by another program.\nStop that program, or choose another port: PORT=${PORT < 65_535 ? PORT + 1 : 8000} npm start`,
  );

/** Asked before anything is downloaded or started; listening later finds the same if it changes. */
export async function refuseTakenPort(config: Config): Promise<void> {
  const free = await new Promise<boolean>((resolve) => {
    const probe = createServer();
    probe.once("error", (error: NodeJS.ErrnoException) => resolve(error.code !== "EADDRINUSE"));
    probe.listen({ host: config.HOST, port: config.PORT }, () => probe.close(() => resolve(true)));
  });
  if (!free) throw portTaken(config);
}
