/**
 * The stream that pg writes to and reads from, when the connection is to be encrypted. pg connects it by itself and
 * takes it for a plain socket; what is beneath it is agreed on by `secured`, as for the other driver.
 */
import { connect, type Socket } from "node:net";
import { Duplex } from "node:stream";
import type { DatabaseTls } from "./database-address.ts";
import { secured } from "./secure-socket.ts";

export class PgStream extends Duplex {
  #raw: Socket | null = null;
  /** What data goes through: the encrypted socket, once there is one. */
  #socket: Socket | null = null;

  constructor(private readonly tls: DatabaseTls) {
    super({ allowHalfOpen: false });
  }

  /** As pg calls it: a port with its host, or the path of a Unix socket, which is never encrypted. */
  connect(portOrPath: number | string, host = ""): this {
    const raw = typeof portOrPath === "string" ? connect(portOrPath) : connect(portOrPath, host);
    this.#raw = raw;
    const fail = (error: Error) => this.destroy(error);
    raw.once("error", fail);
    raw.once("connect", () => {
      raw.setNoDelay(true);
      raw.off("error", fail);
      const ready = typeof portOrPath === "string" ? Promise.resolve(raw) : secured(raw, host, this.tls);
      ready.then((socket) => this.#adopt(socket), fail);
    });
    return this;
  }

  /** Set on the socket itself, before it is encrypted. */
  setNoDelay(): this {
    return this;
  }

  setKeepAlive(enable?: boolean, delay_ms?: number): this {
    this.#raw?.setKeepAlive(enable, delay_ms);
    return this;
  }

  ref(): this {
    this.#raw?.ref();
    return this;
  }

  unref(): this {
    this.#raw?.unref();
    return this;
  }

  override _read(): void {
    this.#socket?.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    if (this.#socket) this.#socket.write(chunk, done);
    else done(new Error("the stream is not connected"));
  }

  override _final(done: (error?: Error | null) => void): void {
    if (this.#socket) this.#socket.end(() => done());
    else done();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#socket?.destroy();
    this.#raw?.destroy();
    done(error);
  }

  #adopt(socket: Socket): void {
    if (this.destroyed) {
      socket.destroy();
      return;
    }
    this.#socket = socket;
    socket.on("data", (chunk: Buffer) => {
      if (!this.push(chunk)) socket.pause();
    });
    socket.on("error", (error: Error) => this.destroy(error));
    socket.on("end", () => this.push(null));
    socket.on("close", () => this.destroy());
    this.emit("connect");
  }
}
