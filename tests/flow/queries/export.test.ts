/** Streams of whole ranges: complete or visibly cut, at the client's pace, and ended with the client. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { gunzipSync } from "node:zlib";
import { ApiBench, type TestApi } from "../../support/api.ts";
import { LAST_CHUNK, rawGet, serveExport } from "../../support/serve-export.ts";
import { until } from "../../support/until.ts";
import { at, Recording, type Sensor } from "./recording.ts";

let bench: ApiBench;
let api: TestApi;
let recording: Recording;
let sensor: Sensor;
/** More than two pieces of the export. */
const COUNT = 12_345;
beforeAll(async () => {
  bench = await ApiBench.create();
  api = await bench.start();
  recording = await Recording.create(bench, api);
  sensor = await recording.sensor("pump");
  await recording.steady(sensor, COUNT, 0.5);
});
afterAll(() => bench.close());

const path = (format: string, order = "asc") =>
  `/api/v1/systems/${recording.system_id}/sensors/${sensor.id}/readings?from=${at(0)}&to=${at(86_400)}&format=${format}&order=${order}`;
const get = (url: string, headers: Record<string, string> = {}) =>
  api.fetch(url, {
    headers: { Authorization: `Bearer ${recording.token}`, "Accept-Encoding": "identity", ...headers },
  });

describe("an export", () => {
  test.each(["asc", "desc"])("has every reading once, in the order %s", async (order) => {
    const response = await get(path("csv", order));
    expect(response.headers.get("Content-Disposition")).toBe(`attachment; filename="${sensor.id}.csv"`);
    expect(response.headers.get("ETag")).toBeNull();
    const lines = (await response.text()).split("\r\n");
    expect(lines.shift()).toBe("timestamp,value,unit,quality");
    expect(lines.pop()).toBe("");
    const values = lines.map((line) => Number(line.split(",")[1]));
    const expected = Array.from({ length: COUNT }, (_, i) => i);
    expect(values).toEqual(order === "asc" ? expected : expected.toReversed());
  });

  test("comes as NDJSON, too", async () => {
    const lines = (await (await get(path("ndjson"))).text()).trimEnd().split("\n");
    expect(lines.length).toBe(COUNT);
    expect(JSON.parse(lines.at(-1) ?? "")).toMatchObject({ value: COUNT - 1, unit: "bar" });
  });

  test("comes with gzip, piece by piece", async () => {
    const response = await fetch(api.server.url + path("csv"), {
      headers: { Authorization: `Bearer ${recording.token}`, "Accept-Encoding": "gzip" },
      decompress: false,
    });
    expect(response.headers.get("Content-Encoding")).toBe("gzip");
    const text = gunzipSync(await response.arrayBuffer()).toString();
    expect(text.split("\r\n").length).toBe(COUNT + 2);
  });

  test("has only a head when only the head is asked for", async () => {
    for (let i = 0; i < 20; i += 1) {
      const response = await api.fetch(path("csv"), {
        method: "HEAD",
        headers: { Authorization: `Bearer ${recording.token}` },
      });
      expect(response.status).toBe(200);
    }
    expect((await get(path("csv"))).status).toBe(200);
  });
});

describe("a stream of an export", () => {
  test.each(["", "Accept-Encoding: gzip\r\n"])(
    "that is complete ends with the last chunk %s",
    async (headers) => {
      const { server, exports } = serveExport({ pieces: 5 });
      const { read, closed } = rawGet(server.port, headers);
      await closed;
      expect(read()).toMatch(LAST_CHUNK);
      expect(exports.running).toBe(0);
      await server.stop(1);
    },
  );

  test.each(["", "Accept-Encoding: gzip\r\n"])(
    "that fails is cut off without it, and logged %s",
    async (headers) => {
      const { server, exports, lines } = serveExport({ pieces: 5, failAt: 3 });
      const { read, closed } = rawGet(server.port, headers);
      await closed;
      expect(read()).toStartWith("HTTP/1.1 200");
      expect(read()).not.toMatch(LAST_CHUNK);
      expect(exports.running).toBe(0);
      expect(lines.join()).toContain("a download failed and was cut off");
      await server.stop(1);
    },
  );

  test("that fails at once is an ordinary error", async () => {
    const { server, exports, url } = serveExport({ pieces: 5, failAt: 0 });
    expect((await fetch(url)).status).toBe(500);
    expect(exports.running).toBe(0);
    await server.stop(1);
  });

  test("is made no faster than the client reads, and not at all after it went away", async () => {
    const { server, made, exports } = serveExport({ pieces: 100_000 });
    const { socket, closed } = rawGet(server.port);
    await until("the stream has begun", () => made.pieces > 2);
    socket.pause();
    let before = -1;
    await until("the stream rests", async () => {
      const rests = made.pieces === before;
      before = made.pieces;
      await Bun.sleep(100);
      return rests;
    });
    // What the socket's buffers hold: some MB of the 6 GB.
    expect(made.pieces).toBeLessThan(1_000);
    socket.destroy();
    await closed;
    await until("its slot is free", () => exports.running === 0);
    expect(made.aborted).toBe(true);
    await server.stop(1);
  });
});
