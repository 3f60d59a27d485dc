/**
 * The sockets of one postgres.js pool, in our hands: postgres.js 3.4.9 cannot end a connection that is still being
 * opened (it would go on, and stay idle on the server), and goes on opening new ones after its end.
 */
import { connect, type Socket } from "node:net";
import { DeadlineError } from "../ops/retry.ts";
import { ConnectionLostError } from "./errors.ts";

/** Where to connect, as postgres.js has read it from the URL; several hosts are tried in turn. */
export interface PoolAddress {
  readonly host: readonly string[];
  readonly port: readonly number[];
  /** A Unix socket instead. */
  readonly path?: string | false | null;
}

const CONNECT_DEADLINE_MS = 5_000;

export class PoolSockets {
  readonly #open = new Set<Socket>();
  #ended = false;

  /** @param onLost called when a connection that was open has closed, and not by `destroy` */
  constructor(private readonly onLost: () => void) {}

  /** A connected socket. @throws the error of the last host @throws {ConnectionLostError} after `destroy` */
  async connect({ host, port, path }: PoolAddress): Promise<Socket> {
    if (path) return this.#connectTo({ path });
    let last: unknown = new ConnectionLostError("no host to connect to");
    for (const [i, name] of host.entries()) {
      try {
        return await this.#connectTo({ host: name, port: port[i] ?? port[0] ?? 5432 });
      } catch (error) {
        last = error;
      }
    }
    throw last;
  }

  /** End every socket now, and open no other one. */
  destroy(): void {
    this.#ended = true;
    for (const socket of this.#open) socket.destroy();
  }

  #connectTo(where: { path: string } | { host: string; port: number }): Promise<Socket> {
    if (this.#ended) throw new ConnectionLostError("the pool has ended");
    const socket = connect(where);
    this.#open.add(socket);
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => {
        socket.destroy();
        reject(new DeadlineError("connecting to PostgreSQL", CONNECT_DEADLINE_MS));
      }, CONNECT_DEADLINE_MS);
      socket.once("error", reject);
      socket.once("close", () => {
        clearTimeout(late);
        this.#open.delete(socket);
        reject(new ConnectionLostError("the connection to PostgreSQL was closed while it was opened"));
      });
      socket.once("connect", () => {
        clearTimeout(late);
        socket.off("error", reject);
        socket.once("close", () => {
          if (!this.#ended) this.onLost();
        });
        resolve(socket);
      });
    });
  }
}
