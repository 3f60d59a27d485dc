/** Downloads are few and have an end: a client that takes little or nothing keeps no place, and no user has them all. */
import { describe, expect, test } from "bun:test";
import { LAST_CHUNK, rawGet, serveExport, stuckGet } from "../../support/serve-export.ts";
import { until } from "../../support/until.ts";

const ENDLESS = 1_000_000;
const ENCODINGS = ["", "Accept-Encoding: gzip\r\n"];

describe("a download whose client takes nothing", () => {
  test.each(ENCODINGS)("ends at its deadline, though no piece is asked for %s", async (headers) => {
    const { server, exports, lines, ended, stop } = serveExport({
      pieces: ENDLESS,
      bounds: { deadline_ms: 700 },
    });
    const { socket, read, closed } = await stuckGet(server.port, headers);
    await until("its place is free", () => exports.running === 0);
    expect(await ended("too_long")).toBe(1);
    expect(lines.join()).toContain("took longer than it may");
    expect(lines.join()).toContain('"user":"somebody"');
    socket.resume();
    await closed;
    expect(read()).not.toMatch(LAST_CHUNK);
    await stop();
  });

  test.each(ENCODINGS)("ends long before, when a piece is not taken %s", async (headers) => {
    const { server, exports, lines, ended, stop } = serveExport({
      pieces: ENDLESS,
      bounds: { stall_ms: 700 },
    });
    const { socket, read, closed } = await stuckGet(server.port, headers);
    await until("its place is free", () => exports.running === 0);
    expect(await ended("stalled")).toBe(1);
    expect(lines.join()).toContain("its client takes nothing");
    socket.resume();
    await closed;
    expect(read()).not.toMatch(LAST_CHUNK);
    await stop();
  });

  test("is closed without the client's help", async () => {
    const { server, exports, connection, stop } = serveExport({ pieces: ENDLESS, bounds: { stall_ms: 200 } });
    const { socket } = await stuckGet(server.port);
    await until("its place is free", () => exports.running === 0);
    await until("its connection is cut", () => connection.isOver);
    socket.destroy();
    await stop();
  });

  test("ends with its credential", async () => {
    const { server, exports, ended, endCredential, stop } = serveExport({ pieces: ENDLESS });
    const { socket, read, closed } = await stuckGet(server.port);
    endCredential();
    expect(exports.running).toBe(0);
    expect(await ended("credential")).toBe(1);
    socket.resume();
    await closed;
    expect(read()).not.toMatch(LAST_CHUNK);
    await stop();
  });
});

describe("a download", () => {
  test("that takes too long is cut off while its client reads", async () => {
    const { server, exports, stop } = serveExport({ pieces: ENDLESS, bounds: { deadline_ms: 200 } });
    const { read, closed } = rawGet(server.port);
    await closed;
    expect(read()).not.toMatch(LAST_CHUNK);
    expect(exports.running).toBe(0);
    await stop();
  });

  test("that takes too long gives up the piece that is being made", async () => {
    const bounds = { deadline_ms: 200 };
    const { server, made, exports, stop } = serveExport({ pieces: 5, making_ms: 100_000, bounds });
    const { closed, read } = rawGet(server.port);
    await until("its place is free", () => made.aborted && exports.running === 0);
    await stop();
    await closed;
    expect(read()).not.toStartWith("HTTP/1.1 200");
  });

  test("that is slow in the making is not its client's fault", async () => {
    const bounds = { stall_ms: 2_000 };
    const { server, ended, stop } = serveExport({ pieces: 2, making_ms: 2_500, bounds });
    const { read, closed } = rawGet(server.port);
    await closed;
    expect(read()).toMatch(LAST_CHUNK);
    expect(await ended("complete")).toBe(1);
    await stop();
  });

  test("needs a place of its user: one too many is told so, others are not", async () => {
    const { server, exports, url, ended, stop } = serveExport({
      pieces: ENDLESS,
      bounds: { of_one_user: 2 },
    });
    const ofAda = [
      await stuckGet(server.port, "", "/?user=ada"),
      await stuckGet(server.port, "", "/?user=ada"),
    ];
    const refused = await fetch(`${url}/?user=ada`);
    expect(refused.status).toBe(429);
    expect(Number(refused.headers.get("Retry-After"))).toBeGreaterThan(0);
    expect(await refused.json()).toMatchObject({
      type: "/problems/too-many-at-once",
      detail: "You have 2 downloads open, which is as many as a user may have.",
    });
    const { socket: ofBob } = await stuckGet(server.port, "", "/?user=bob");
    expect(exports.running).toBe(3);
    ofAda[0]?.socket.destroy();
    await until("Ada's place is free", () => exports.running === 2);
    const again = await stuckGet(server.port, "", "/?user=ada");
    expect(again.read()).toStartWith("HTTP/1.1 200");
    expect(await ended("refused_user")).toBe(1);
    for (const socket of [ofAda[1]?.socket, ofBob, again.socket]) socket?.destroy();
    await until("all places are free", () => exports.running === 0);
    await stop();
  });

  test("needs a place of all: one too many is told so", async () => {
    const { server, exports, url, ended, stop } = serveExport({ pieces: ENDLESS, bounds: { all: 1 } });
    const { socket } = await stuckGet(server.port, "", "/?user=ada");
    const refused = await fetch(`${url}/?user=bob`);
    expect(refused.status).toBe(503);
    expect(Number(refused.headers.get("Retry-After"))).toBeGreaterThan(0);
    expect(await refused.json()).toMatchObject({
      type: "/problems/server-busy",
      detail: "As many downloads are open (1) as this process serves at once.",
    });
    expect(await ended("refused_all")).toBe(1);
    socket.destroy();
    await until("its place is free", () => exports.running === 0);
    await stop();
  });
});
