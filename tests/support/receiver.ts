/** A receiver of webhooks on loopback that answers as it is told, and remembers what came. */
import { readFileSync } from "node:fs";
import http, { type IncomingMessage, type RequestListener, type ServerResponse } from "node:http";
import https from "node:https";
import type { AddressInfo, Socket } from "node:net";

export interface Received {
  readonly path: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** What it does with a request; `nth` counts from 1. */
export type Behaviour = (response: ServerResponse, request: IncomingMessage, nth: number) => void;

export const ok: Behaviour = (response) => response.writeHead(204).end();
export const status =
  (code: number, headers: Record<string, string> = {}, body = ""): Behaviour =>
  (response) =>
    response.writeHead(code, headers).end(body);
/** Takes the request and never answers. */
export const silent: Behaviour = () => undefined;

/** Takes requests and answers when it is told to. */
export function holding(): {
  readonly behaviour: Behaviour;
  /** Requests that wait for their answers. */
  readonly held: ServerResponse[];
  /** Answer those that wait. */
  release(code?: number): void;
} {
  const held: ServerResponse[] = [];
  return {
    held,
    behaviour: (response) => void held.push(response),
    release(code = 204) {
      for (const response of held.splice(0)) response.writeHead(code).end();
    },
  };
}

export interface Receiver {
  /** Without a last slash. */
  readonly url: string;
  readonly port: number;
  readonly received: Received[];
  /** Answers from now on. */
  behave(behaviour: Behaviour): void;
  /** Connections made so far. */
  connections(): number;
  close(): Promise<void>;
}

/** @param certificate for https, else http */
export async function startReceiver(
  behaviour: Behaviour = ok,
  certificate?: { readonly key: string; readonly cert: string },
): Promise<Receiver> {
  let behave = behaviour;
  let connections = 0;
  const received: Received[] = [];
  const sockets = new Set<Socket>();
  const listener: RequestListener = (request, response) => {
    const pieces: Buffer[] = [];
    request.on("data", (piece: Buffer) => pieces.push(piece));
    request.on("error", () => undefined); // the sender may leave
    request.on("end", () => {
      const headers = request.headers as Record<string, string>;
      received.push({ path: request.url ?? "", headers, body: Buffer.concat(pieces).toString() });
      behave(response, request, received.length);
    });
  };
  const server = certificate ? https.createServer(certificate, listener) : http.createServer(listener);
  server.on("connection", (socket: Socket) => {
    connections += 1;
    sockets.add(socket);
    socket.on("error", () => undefined);
    socket.on("close", () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `${certificate ? "https" : "http"}://127.0.0.1:${port}`,
    port,
    received,
    behave(other) {
      behave = other;
    },
    connections: () => connections,
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

const pem = (name: string) => readFileSync(new URL(`certificate/${name}.pem`, import.meta.url), "utf8");

/** A certificate for hook.example that signs itself, until 2126; nobody but tests trusts it. */
export const CERTIFICATE = { key: pem("key"), cert: pem("cert") } as const;
