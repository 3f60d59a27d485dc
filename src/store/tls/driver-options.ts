/** The same connection for both drivers: the URL without what is said about encryption, and the sockets for it. */
import type { Duplex } from "node:stream";
import { type PoolAddress, PoolSockets } from "../pool-sockets.ts";
import { databaseAddress } from "./database-address.ts";
import { PgStream } from "./pg-stream.ts";

/** `ssl` is given, because pg would else look for PGSSLMODE. */
export interface PgConnection {
  readonly connectionString: string;
  readonly ssl: false;
  readonly stream?: () => Duplex;
}

/** What every client and pool of pg is made with. @throws {DatabaseAddressError} */
export function pgConnection(url: string): PgConnection {
  const { url: connectionString, tls } = databaseAddress(url);
  const common = { connectionString, ssl: false } as const;
  return tls ? { ...common, stream: () => new PgStream(tls) } : common;
}

/** What every pool of postgres.js is made with: its URL, its options, and its sockets. */
export interface PostgresConnection {
  readonly url: string;
  readonly options: {
    readonly ssl: false;
    readonly socket: (address: PoolAddress) => ReturnType<PoolSockets["connect"]>;
  };
  readonly sockets: PoolSockets;
}

/** @param onLost as that of `PoolSockets` @throws {DatabaseAddressError} */
export function postgresConnection(given: string, onLost?: () => void): PostgresConnection {
  const { url, tls } = databaseAddress(given);
  const sockets = new PoolSockets(tls, onLost);
  return { url, sockets, options: { ssl: false, socket: (address) => sockets.connect(address) } };
}
