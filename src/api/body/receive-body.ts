/** The whole way of a body: off the network, out of its content coding, without a byte order mark. */
import type { Context } from "hono";
import type { AppEnv } from "../deps.ts";
import type { BodyHold } from "./body-memory.ts";
import { decompress, withoutByteOrderMark } from "./decode-body.ts";
import { contentCoding } from "./media.ts";
import { type BodyBounds, readBody } from "./read-body.ts";

/** @throws {ProblemError} see `readBody`, `contentCoding` and `decompress` */
export async function receiveBody(
  c: Context<AppEnv>,
  bounds: BodyBounds,
  hold: BodyHold,
): Promise<Uint8Array> {
  const coding = contentCoding(c.req.header("Content-Encoding"));
  c.env?.slowBody?.begin(c.req.raw);
  const sent = await readBody(c.req.raw, bounds, hold);
  c.env?.slowBody?.end(c.req.raw);
  if (coding === "identity") return withoutByteOrderMark(sent);
  const body = await decompress(sent, coding, bounds);
  hold.grow(body.byteLength);
  return withoutByteOrderMark(body);
}
