/** The proxy of fault tests delivers every byte in order, however often it was slow or silent meanwhile. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import net from "node:net";
import { createProxy, type TcpProxy } from "../../support/proxy.ts";
import { until } from "../../support/until.ts";

const PIECES = 60;
let server: net.Server;
let proxy: TcpProxy;
let received: string;

beforeEach(async () => {
  received = "";
  server = net.createServer((socket) => {
    socket.on("error", () => undefined);
    // Everything comes back, so both directions are seen.
    socket.pipe(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  proxy = await createProxy(`http://127.0.0.1:${(server.address() as net.AddressInfo).port}`);
});

afterEach(async () => {
  await proxy.close();
  server.close();
});

/** A connection through the proxy that keeps sending numbers in order. */
async function client(): Promise<net.Socket> {
  const socket = net.connect(proxy.port, "127.0.0.1");
  socket.on("data", (chunk) => {
    received += chunk.toString();
  });
  socket.on("error", () => undefined);
  await new Promise<void>((resolve) => socket.once("connect", resolve));
  return socket;
}

test("slow, silent and fast by turns", async () => {
  const socket = await client();
  let sent = "";
  for (let n = 0; n < PIECES; n += 1) {
    if (n % 10 === 2) proxy.slow(15);
    if (n % 10 === 5) proxy.pause();
    // While the last piece is still on its way.
    if (n % 10 === 7) proxy.resume();
    const piece = `${n};`;
    sent += piece;
    socket.write(piece);
    await Bun.sleep(2);
  }
  proxy.resume();
  await until("all is back", () => received.length >= sent.length);
  expect(received).toBe(sent);
  socket.destroy();
});

test("silence holds bytes back until it ends", async () => {
  const socket = await client();
  await until("the connection is there", () => proxy.connections() === 1);
  proxy.pause();
  socket.write("held");
  await Bun.sleep(60);
  expect(received).toBe("");
  proxy.resume();
  await until("it comes", () => received === "held");
  socket.destroy();
});

test("slow data comes later, and connections that begin meanwhile are slow too", async () => {
  proxy.slow(80);
  const socket = await client();
  const begin = performance.now();
  socket.write("late");
  await until("it comes", () => received === "late");
  // There and back.
  expect(performance.now() - begin).toBeGreaterThanOrEqual(150);
  socket.destroy();
});
