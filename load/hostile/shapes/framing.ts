/** Requests whose end is not certain (RFC 9112 sections 6 and 11), and heads that are none. */
import type { Chance } from "../../../src/feed/simulate/chance.ts";
import { bearer, type Header, type HostileCase, head, hostile, JSON_TYPE } from "../case.ts";
import type { Ground } from "../ground.ts";
import { goodBatch } from "../nasty.ts";

const PATH = "/api/v1/data/ingest";
const alone = { shares: false, operation: "ingestBatch" } as const;
const HOST: Header = ["Host", "hostile"];

/** A good batch under headers that say two things about its length, with another one behind. */
export function twoLengths({ producer, victim }: Ground, chance: Chance): HostileCase {
  const batch = goodBatch(victim, chance);
  const inner = Buffer.concat([
    head(`POST ${PATH} HTTP/1.1`, [
      HOST,
      bearer(producer),
      JSON_TYPE,
      ["Content-Length", String(batch.length)],
    ]),
    Buffer.from(batch),
  ]);
  const chunk = `${batch.length.toString(16)}\r\n${batch}\r\n0\r\n\r\n`;
  const [name, headers, body] = chance.pick<readonly [string, readonly Header[], string]>([
    [
      "length and chunks",
      [
        ["Content-Length", String(batch.length)],
        ["Transfer-Encoding", "chunked"],
      ],
      chunk,
    ],
    [
      "chunks and length",
      [
        ["Transfer-Encoding", "chunked"],
        ["Content-Length", "4"],
      ],
      chunk,
    ],
    [
      "two lengths",
      [
        ["Content-Length", String(batch.length)],
        ["Content-Length", "5"],
      ],
      batch,
    ],
    ["a list of lengths", [["Content-Length", `${batch.length}, 5`]], batch],
    ["chunked is not last", [["Transfer-Encoding", "chunked, gzip"]], chunk],
    ["an unknown coding", [["Transfer-Encoding", "xchunked"]], chunk],
    ["a blank before the colon", [["Content-Length ", String(batch.length)]], batch],
    ["a length with a sign", [["Content-Length", `+${batch.length}`]], batch],
    ["a negative length", [["Content-Length", "-1"]], batch],
    ["a length in hex", [["Content-Length", `0x${batch.length.toString(16)}`]], batch],
    ["a length with letters", [["Content-Length", `${batch.length}a`]], batch],
    ["an endless length", [["Content-Length", "99999999999999999999999999"]], batch],
    ["an empty length", [["Content-Length", ""]], batch],
  ]);
  const outer = head(`POST ${PATH} HTTP/1.1`, [HOST, bearer(producer), JSON_TYPE, ...headers]);
  const smuggled = chance.below(2) === 0 ? inner : new Uint8Array(0);
  return hostile("framing", name, Buffer.concat([outer, Buffer.from(body), smuggled]), alone);
}

/** A good batch in chunks that are not as RFC 9112 section 7.1 has them. */
export function badChunks({ producer, victim }: Ground, chance: Chance): HostileCase {
  const batch = goodBatch(victim, chance);
  const size = batch.length.toString(16);
  const [name, body] = chance.pick<readonly [string, string]>([
    ["a negative size", `-1\r\n${batch}\r\n0\r\n\r\n`],
    ["a size with 0x", `0x${size}\r\n${batch}\r\n0\r\n\r\n`],
    ["a size beyond 64 bits", `FFFFFFFFFFFFFFFFFF\r\n${batch}\r\n0\r\n\r\n`],
    ["no size", `\r\n${batch}\r\n0\r\n\r\n`],
    ["letters for a size", `xyz\r\n${batch}\r\n0\r\n\r\n`],
    ["a chunk longer than its size", `${(batch.length - 5).toString(16)}\r\n${batch}\r\n0\r\n\r\n`],
    ["a chunk shorter than its size", `${(batch.length + 5).toString(16)}\r\n${batch}\r\n0\r\n\r\n`],
    ["no line end behind the chunk", `${size}\r\n${batch}0\r\n\r\n`],
    ["a NUL in the size", `${size}\0\r\n${batch}\r\n0\r\n\r\n`],
    ["blanks before the size", `   ${size}\r\n${batch}\r\n0\r\n\r\n`],
    ["a sign before the size", `+${size}\r\n${batch}\r\n0\r\n\r\n`],
  ]);
  const headers: Header[] = [HOST, bearer(producer), JSON_TYPE, ["Transfer-Encoding", "chunked"]];
  const pieces = [head(`POST ${PATH} HTTP/1.1`, headers), Buffer.from(body)];
  return hostile("chunks", name, pieces, { ...alone, end: "half-close" });
}

/** Heads that no server should take for one. They ask for what harms nobody. */
export function badHead({ admin }: Ground, chance: Chance): HostileCase {
  const auth = `Authorization: Bearer ${admin}`;
  const get = "GET /api/v1/systems HTTP/1.1";
  const flood = Array.from({ length: 20 + chance.below(3_000) }, (_, i) => `X-${i}: ${i}`).join("\r\n");
  const long = "x".repeat(1 + chance.below(200_000));
  const [name, text] = chance.pick<readonly [string, string]>([
    ["bare LF", `${get}\nHost: a\n${auth}\n\n`],
    ["bare CR", `${get}\rHost: a\r${auth}\r\r`],
    ["a folded header", `${get}\r\nHost: a\r\nX-A: b\r\n  c\r\n${auth}\r\n\r\n`],
    ["a folded first header", `${get}\r\n Host: a\r\n${auth}\r\n\r\n`],
    ["a NUL in a name", `${get}\r\nHost: a\r\nX\0A: b\r\n\r\n`],
    ["a NUL in a value", `${get}\r\nHost: a\r\nX-A: b\0c\r\n\r\n`],
    ["a CR in a value", `${get}\r\nHost: a\r\nX-A: b\rSet-Cookie: c\r\n\r\n`],
    ["no colon", `${get}\r\nHost: a\r\nnonsense\r\n\r\n`],
    ["no name", `${get}\r\nHost: a\r\n: b\r\n\r\n`],
    ["no Host", `${get}\r\n${auth}\r\n\r\n`],
    ["two Hosts", `${get}\r\nHost: a\r\nHost: b\r\n${auth}\r\n\r\n`],
    ["a bad Host", `${get}\r\nHost: a b@[::1/\\\r\n${auth}\r\n\r\n`],
    ["HTTP/0.9", "GET /api/v1/systems\r\n"],
    ["HTTP/1.2", `GET /api/v1/systems HTTP/1.2\r\nHost: a\r\n\r\n`],
    ["HTTP/2.0", `GET /api/v1/systems HTTP/2.0\r\nHost: a\r\n\r\n`],
    ["HTTP/2 without a question", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0"],
    ["two blanks", `GET  /api/v1/systems  HTTP/1.1\r\nHost: a\r\n\r\n`],
    ["no target", "GET HTTP/1.1\r\nHost: a\r\n\r\n"],
    [
      "an absolute target",
      `GET http://elsewhere.example/api/v1/systems HTTP/1.1\r\nHost: a\r\n${auth}\r\n\r\n`,
    ],
    ["an authority", `CONNECT 127.0.0.1:22 HTTP/1.1\r\nHost: a\r\n\r\n`],
    ["a star", `OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n`],
    ["a long target", `GET /${long} HTTP/1.1\r\nHost: a\r\n\r\n`],
    ["a long header", `${get}\r\nHost: a\r\nX-A: ${long}\r\n\r\n`],
    ["a flood of headers", `${get}\r\nHost: a\r\n${flood}\r\n\r\n`],
    ["a long method", `${"G".repeat(1 + chance.below(5_000))} / HTTP/1.1\r\nHost: a\r\n\r\n`],
    [
      "an upgrade",
      `${get}\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: ${chance.pick(["websocket", "h2c"])}\r\n\r\n`,
    ],
    ["an unknown expectation", `${get}\r\nHost: a\r\nExpect: 418-teapot\r\n\r\n`],
    ["empty lines first", `\r\n\r\n\r\n${get}\r\nHost: a\r\n\r\n`],
  ]);
  return hostile("heads", name, Buffer.from(text, "latin1"), {
    expect: "harmless",
    shares: false,
    end: "half-close",
  });
}

/** Bytes that are no HTTP. */
export function garbage(_: Ground, chance: Chance): HostileCase {
  const random = Buffer.from(Array.from({ length: 1 + chance.below(600) }, () => chance.below(256)));
  const [name, bytes] = chance.pick<readonly [string, Uint8Array]>([
    ["random bytes", random],
    ["TLS", Buffer.concat([Buffer.from("16030100f1010000ed0303", "hex"), random])],
    ["SSH", Buffer.from("SSH-2.0-OpenSSH_9.9\r\n")],
    ["nothing", new Uint8Array(0)],
    ["line ends", Buffer.from("\r\n".repeat(1 + chance.below(2_000)))],
    ["NULs", Buffer.alloc(1 + chance.below(5_000))],
    ["RESP", Buffer.from("*1\r\n$8\r\nFLUSHALL\r\n")],
    ["UTF-16", Buffer.from("\ufeffGET / HTTP/1.1\r\nHost: a\r\n\r\n", "utf16le")],
  ]);
  return hostile("garbage", name, bytes, { shares: false, end: chance.pick(["half-close", "reset"]) });
}
