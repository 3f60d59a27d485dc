/**
 * The sockets of one postgres.js pool, in our hands: postgres.js 3.4.9 cannot end a connection that is still being
 * opened (it would go on, and stay idle on the server), and goes on opening new ones after its end.
 */
import { connect, type Socket } from "node:net";
import { DeadlineError } from "../ops/retry.ts";
import { ConnectionLostError } from "./errors.ts";
import type { DatabaseTls } from "./tls/database-address.ts";
import { secured } from "./tls/secure-socket.ts";

/** Where to connect, as postgres.js has read it from the URL, which has one host. */
export interface PoolAddress {
  readonly host: readonly string[];
  readonly port: readonly number[];
  /** A Unix socket instead. */
  readonly path?: string | false | null;
}

const CONNECT_DEADLINE_MS = 5_000;

export class PoolSockets {
  readonly #sockets = new Set<Socket>();
  #ended = false;

  /**
   * @param tls null: plain text; a Unix socket is never encrypted
   * @param onLost called when a connection that was open has closed, and not by `destroy`
   */
  constructor(
    private readonly tls: DatabaseTls | null,
    private readonly onLost: () => void = () => undefined,
  ) {}

  /**
   * A connected socket, encrypted where that is wanted.
   * @throws the error of the host @throws {ConnectionLostError} after `destroy` @throws {StoreUnavailableError} of TLS
   */
  async connect({ host: [host = "localhost"], port: [port = 5432], path }: PoolAddress): Promise<Socket> {
    const { tls } = this;
    if (path) return this.#open({ path });
    return this.#open({ host, port }, tls ? (raw) => secured(raw, host, tls) : undefined);
  }

  /** End every socket now, and open no other one. */
  destroy(): void {
    this.#ended = true;
    for (const socket of this.#sockets) socket.destroy();
  }

  /** @param secure what is done with a connected socket before it is handed out */
  async #open(
    where: { path: string } | { host: string; port: number },
    secure: (raw: Socket) => Promise<Socket> = (raw) => Promise.resolve(raw),
  ): Promise<Socket> {
    if (this.#ended) throw new ConnectionLostError("the pool has ended");
    const raw = this.#kept(connect(where));
    const late = setTimeout(() => {
      raw.destroy(new DeadlineError("connecting to PostgreSQL", CONNECT_DEADLINE_MS));
    }, CONNECT_DEADLINE_MS);
    try {
      await connected(raw);
      const socket = await secure(raw);
      if (socket !== raw) this.#kept(socket);
      socket.once("close", () => {
        if (!this.#ended) this.onLost();
      });
      return socket;
    } catch (error) {
      raw.destroy();
      throw error;
    } finally {
      clearTimeout(late);
    }
  }

  #kept(socket: Socket): Socket {
    this.#sockets.add(socket);
    return socket.once("close", () => this.#sockets.delete(socket));
  }
}

function connected(raw: Socket): Promise<void> {
  return new Promise((resolve, reject) => {
    raw.once("error", reject);
    raw.once("close", () =>
      reject(new ConnectionLostError("the connection to PostgreSQL was closed while it was opened")),
    );
    raw.once("connect", () => {
      raw.off("error", reject);
      resolve();
    });
  });
}
