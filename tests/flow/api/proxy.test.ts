/** The proxy that other tests rely on does what it says. */
import { afterEach, describe, expect, test } from "bun:test";
import net from "node:net";
import { createProxy, type TcpProxy } from "../../support/proxy.ts";
import { connectRaw, type RawConnection } from "../../support/raw-http.ts";
import { until } from "../../support/until.ts";

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

/** An echo server and a proxy before it. */
async function setUp(): Promise<{ proxy: TcpProxy; connect: () => Promise<RawConnection> }> {
  const echo = net.createServer((socket) => {
    socket.on("error", () => socket.destroy());
    socket.pipe(socket);
  });
  await new Promise<void>((resolve) => echo.listen(0, "127.0.0.1", resolve));
  ends.push(() => echo.close());
  const proxy = await createProxy(`tcp://127.0.0.1:${(echo.address() as net.AddressInfo).port}`);
  ends.push(() => proxy.close());
  const connect = async () => {
    const connection = await connectRaw(proxy.port);
    ends.push(() => connection.destroy());
    return connection;
  };
  return { proxy, connect };
}
const echoes = (connection: RawConnection, text: string) => {
  connection.write(text);
  return until(`the echo of ${text}`, () => connection.received().endsWith(text));
};

describe("the proxy", () => {
  test("passes bytes both ways, also many", async () => {
    const { connect } = await setUp();
    const connection = await connect();
    const megabytes = "x".repeat(20_000_000);
    connection.write(megabytes);
    await until("all of it came back", () => connection.received().length === megabytes.length);
  });

  test("names itself in a URL and keeps the rest", async () => {
    const { proxy } = await setUp();
    expect(proxy.through("redis://user:pass@10.0.0.1:6379/3")).toBe(
      `redis://user:pass@127.0.0.1:${proxy.port}/3`,
    );
  });

  test("cut breaks what is open; new connections work", async () => {
    const { proxy, connect } = await setUp();
    const first = await connect();
    await echoes(first, "a");
    proxy.cut();
    await until("it is broken", first.isClosed);
    await until("it is forgotten", () => proxy.connections() === 0);
    await echoes(await connect(), "b");
  });

  test("refuse breaks what is open and what comes, until resume", async () => {
    const { proxy, connect } = await setUp();
    const first = await connect();
    await echoes(first, "a");
    proxy.refuse();
    await until("it is broken", first.isClosed);
    const second = await connect();
    await until("the new one is broken", second.isClosed);
    proxy.resume();
    await echoes(await connect(), "b");
  });

  test("pause holds bytes back on open and new connections, resume lets them through in order", async () => {
    const { proxy, connect } = await setUp();
    const first = await connect();
    await echoes(first, "a");
    proxy.pause();
    const second = await connect();
    first.write("b");
    second.write("c");
    await until("the new connection is taken", () => proxy.connections() === 2);
    // Nothing may come: there is no state to wait for, only time.
    await Bun.sleep(100);
    expect([first.received(), second.received()]).toEqual(["a", ""]);
    expect([first.isClosed(), second.isClosed()]).toEqual([false, false]);
    proxy.resume();
    await until("both echoes", () => first.received() === "ab" && second.received() === "c");
  });

  test("close ends every connection and the port", async () => {
    const { proxy, connect } = await setUp();
    const first = await connect();
    await proxy.close();
    await until("it is broken", first.isClosed);
    await expect(connectRaw(proxy.port)).rejects.toThrow();
  });
});
