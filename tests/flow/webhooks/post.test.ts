/** One request to a receiver: to the checked address under the right name, never elsewhere, and never for long. */
import { afterEach, describe, expect, test } from "bun:test";
import net from "node:net";
import { NoAnswerError, type PostLimits, post } from "../../../src/notify/post.ts";
import type { Target } from "../../../src/notify/target.ts";
import { CERTIFICATE, type Receiver, silent, startReceiver, status } from "../../support/receiver.ts";
import { until } from "../../support/until.ts";

const NAME = "hook.example";
const open: { close(): unknown }[] = [];
afterEach(async () => {
  for (const one of open.splice(0)) await one.close();
});

const LIMITS: PostLimits = { timeout_ms: 20_000, signal: new AbortController().signal };
const MESSAGE = { headers: { "Content-Type": "application/json", "webhook-id": "msg_1" }, body: '{"ä":1}' };
const receiver = async (...args: Parameters<typeof startReceiver>): Promise<Receiver> => {
  const started = await startReceiver(...args);
  open.push(started);
  return started;
};
const target = (url: string, addresses = ["127.0.0.1"], servername: string | null = NAME): Target => ({
  url: new URL(url),
  addresses,
  servername,
});
const failure = async (work: Promise<unknown>): Promise<string> => {
  const error = await work.then(
    () => null,
    (e: unknown) => e,
  );
  expect(error).toBeInstanceOf(NoAnswerError);
  return (error as Error).message;
};

/** A server that speaks no HTTP. */
async function raw(onConnection: (socket: net.Socket) => void): Promise<number> {
  const server = net.createServer((socket) => {
    socket.on("error", () => undefined);
    onConnection(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  open.push(server);
  return (server.address() as net.AddressInfo).port;
}

describe("over TLS", () => {
  test("the connection goes to the address, the name into Host, SNI and the certificate's check", async () => {
    let servername: unknown;
    const secure = await receiver((response, request) => {
      servername = (request.socket as unknown as { servername: unknown }).servername;
      response.writeHead(200).end("thanks");
    }, CERTIFICATE);
    const url = `https://${NAME}:${secure.port}/a/b?c=d`;
    const answer = await post(target(url), MESSAGE, { ...LIMITS, ca: CERTIFICATE.cert });
    expect(answer).toEqual({ status: 200, retry_after_s: null, excerpt: "thanks" });
    expect(servername).toBe(NAME);
    expect(secure.received).toMatchObject([
      {
        path: "/a/b?c=d",
        body: MESSAGE.body,
        headers: { host: `${NAME}:${secure.port}`, "webhook-id": "msg_1" },
      },
    ]);
  });

  test("a certificate for another name, and one that nobody trusts, get nothing", async () => {
    const secure = await receiver(undefined, CERTIFICATE);
    const other = target(`https://other.example:${secure.port}/`, ["127.0.0.1"], "other.example");
    expect(await failure(post(other, MESSAGE, { ...LIMITS, ca: CERTIFICATE.cert }))).toContain(
      "other.example",
    );
    const unknown = target(`https://${NAME}:${secure.port}/`);
    expect(await failure(post(unknown, MESSAGE, LIMITS))).toContain("self");
    const byAddress = target(`https://127.0.0.1:${secure.port}/`, ["127.0.0.1"], null);
    await failure(post(byAddress, MESSAGE, { ...LIMITS, ca: CERTIFICATE.cert }));
    expect(secure.received).toEqual([]);
  });
});

describe("an answer", () => {
  test.each([301, 302, 303, 307, 308])(
    "of %d is the answer: the other place is never asked",
    async (code) => {
      const inner = await receiver();
      const outer = await receiver(status(code, { Location: `${inner.url}/secret` }));
      expect((await post(target(outer.url), MESSAGE, LIMITS)).status).toBe(code);
      expect(inner.connections()).toBe(0);
    },
  );

  test("is read at its beginning only", async () => {
    let written = 0;
    const endless = await receiver((response) => {
      response.writeHead(200);
      const more = () => {
        while (!response.destroyed && written < 50_000_000) {
          written += 65_536;
          if (!response.write("x".repeat(65_536))) return response.once("drain", more);
        }
        return response.end();
      };
      more();
    });
    const answer = await post(target(endless.url), MESSAGE, LIMITS);
    expect(answer).toEqual({ status: 200, retry_after_s: null, excerpt: "x".repeat(500) });
    expect(written).toBeLessThan(20_000_000);
  });

  test.each([
    ["with the header that names the other protocol", "Upgrade: websocket\r\nConnection: Upgrade\r\n"],
    ["without it", ""],
  ])("of 101, which nobody asked for, holds nothing: %s", async (_, headers) => {
    const port = await raw((socket) =>
      socket.once("data", () => socket.write(`HTTP/1.1 101 Switching Protocols\r\n${headers}\r\n`)),
    );
    const answer = await post(target(`http://127.0.0.1:${port}/`), MESSAGE, LIMITS);
    expect(answer).toEqual({ status: 101, retry_after_s: null, excerpt: "" });
  });

  test("of a status that there is not is none", async () => {
    const port = await raw((socket) =>
      socket.once("data", () => socket.end("HTTP/1.1 099 Odd\r\nContent-Length: 0\r\n\r\n")),
    );
    const words = await failure(post(target(`http://127.0.0.1:${port}/`), MESSAGE, LIMITS));
    expect(words).toBe("its answer has the status 99, which there is not");
  });

  test.each([
    ["120", 120],
    ["0", 0],
    ["soon", null],
    ["-1", null],
    [new Date(0).toUTCString(), null],
  ])("with Retry-After: %s", async (header, seconds) => {
    const busy = await receiver(status(503, { "Retry-After": header }, "a\0b"));
    const answer = await post(target(busy.url), MESSAGE, LIMITS);
    expect(answer).toEqual({ status: 503, retry_after_s: seconds, excerpt: "ab" });
  });

  test("with a date as Retry-After", async () => {
    const begin_ms = Date.now();
    const at_ms = Math.floor(begin_ms / 1000) * 1000 + 60_000;
    const busy = await receiver(status(503, { "Retry-After": new Date(at_ms).toUTCString() }));
    const { retry_after_s } = await post(target(busy.url), MESSAGE, LIMITS);
    const [least_s, most_s] = [Date.now(), begin_ms].map((now_ms) => Math.ceil((at_ms - now_ms) / 1000));
    expect(retry_after_s).toBeWithin(least_s!, most_s! + 1);
  });
});

describe("no answer", () => {
  const SHORT = { ...LIMITS, timeout_ms: 150 };

  test("within the time: of a receiver that is silent, that drips, and that never lets TLS begin", async () => {
    const mute = await receiver(silent);
    expect(await failure(post(target(mute.url), MESSAGE, SHORT))).toBe("no answer within 0.15 s");
    const dripping = await receiver((response) => {
      response.writeHead(200);
      const drip = setInterval(() => response.write("x"), 20);
      response.on("close", () => clearInterval(drip));
    });
    expect(await failure(post(target(dripping.url), MESSAGE, SHORT))).toBe("no answer within 0.15 s");
    const port = await raw(() => undefined);
    expect(await failure(post(target(`https://${NAME}:${port}/`), MESSAGE, SHORT))).toBe(
      "no answer within 0.15 s",
    );
  });

  test("of something that speaks no HTTP, that hangs up, and that ends in the middle", async () => {
    for (const behave of [
      (socket: net.Socket) => socket.write("220 smtp.example ESMTP\r\n"),
      (socket: net.Socket) => socket.on("data", () => socket.end()),
      (socket: net.Socket) =>
        socket.on("data", () => socket.end("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx")),
      (socket: net.Socket) =>
        socket.on("data", () => socket.write(`HTTP/1.1 200 OK\r\nX: ${"a".repeat(200_000)}`)),
    ]) {
      const port = await raw((socket) => void behave(socket));
      const words = await failure(post(target(`http://127.0.0.1:${port}/`), MESSAGE, LIMITS));
      expect(words.length).toBeWithin(1, 501);
    }
  });

  test("when it is given up, and the connection is closed", async () => {
    const mute = await receiver(silent);
    const stop = new AbortController();
    const sent = post(target(mute.url), MESSAGE, { ...LIMITS, signal: stop.signal });
    await until("it has come", () => mute.received.length === 1);
    stop.abort();
    await failure(sent);
  });
});

test("of several addresses, the next is tried only when nothing could be sent", async () => {
  const here = await receiver();
  const url = `http://${NAME}:${here.port}/`;
  expect((await post(target(url, ["127.0.0.2", "127.0.0.1"]), MESSAGE, LIMITS)).status).toBe(204);
  expect(here.received).toHaveLength(1);
  const dropped = await raw((socket) => socket.on("data", () => socket.destroy()));
  await failure(post(target(`http://${NAME}:${dropped}/`, ["127.0.0.1", "127.0.0.1"]), MESSAGE, LIMITS));
  await failure(post(target("http://127.0.0.1:1/", ["127.0.0.1", "127.0.0.2"]), MESSAGE, LIMITS));
});
