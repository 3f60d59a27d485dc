/** The beginning of an encrypted connection to PostgreSQL, for both drivers (PostgreSQL documentation, 53.2.10). */
import { isIP, type Socket } from "node:net";
import { connect } from "node:tls";
import { TlsFileError } from "../../ops/tls-files.ts";
import { StoreUnavailableError } from "../errors.ts";
import { type DatabaseTls, handshakeOptions } from "./database-address.ts";

/** SSLRequest: its length, and the code that no protocol version has. */
const SSL_REQUEST = Buffer.from([0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f]);
const WILLING = "S";
const UNWILLING = "N";

/**
 * Asks for encryption and shakes hands. The caller bounds the time, and destroys `raw` when it is over.
 * @param raw connected, and nothing sent yet
 * @param host as the URL has it; the name that `verify-full` asks for
 * @returns the socket to talk through: `raw` itself when the server has no TLS and `prefer` allows that
 * @throws {StoreUnavailableError} whatever kept it from being secure; never plain text instead
 */
export async function secured(raw: Socket, host: string, tls: DatabaseTls): Promise<Socket> {
  const answer = await answerTo(raw);
  if (answer === UNWILLING && tls.mode === "prefer") return raw;
  if (answer === UNWILLING) {
    throw refused(host, `the server has no TLS, and sslmode=${tls.mode} wants it`);
  }
  // More than one byte would be somebody's who is in between: it was not encrypted (CVE-2021-23222).
  if (answer !== WILLING) throw refused(host, "the server does not answer as PostgreSQL does");
  return shakeHands(raw, host, tls);
}

function refused(host: string, why: string, cause?: unknown): StoreUnavailableError {
  return new StoreUnavailableError(`TLS with ${host}: ${why}`, { cause });
}

function answerTo(raw: Socket): Promise<string> {
  return new Promise((resolve, reject) => {
    const settle = (outcome: () => void) => {
      raw.off("data", onData);
      raw.off("error", onError);
      raw.off("close", onClose);
      outcome();
    };
    const onData = (data: Buffer) => settle(() => resolve(data.toString("latin1")));
    const onError = (error: Error) => settle(() => reject(error));
    const onClose = () =>
      settle(() => reject(new StoreUnavailableError("the connection was closed before TLS was agreed on")));
    raw.on("data", onData);
    raw.on("error", onError);
    raw.on("close", onClose);
    raw.write(SSL_REQUEST);
  });
}

function shakeHands(raw: Socket, host: string, tls: DatabaseTls): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const fail = (error: Error) => {
      raw.destroy();
      const code = (error as NodeJS.ErrnoException).code;
      reject(refused(host, code ? `${error.message} (${code})` : error.message, error));
    };
    try {
      const socket = connect({
        socket: raw,
        // A server name must not be an address (RFC 6066, section 3); `host` is what an address is checked by.
        ...(isIP(host) === 0 ? { servername: host } : { host }),
        ...handshakeOptions(tls),
      });
      const onClose = () => fail(new Error("the server closed the connection during the handshake"));
      raw.on("error", fail);
      socket.once("error", fail);
      socket.once("close", onClose);
      socket.once("secureConnect", () => {
        socket.off("error", fail);
        socket.off("close", onClose);
        resolve(socket);
      });
    } catch (error) {
      if (!(error instanceof TlsFileError)) throw error;
      fail(error);
    }
  });
}
