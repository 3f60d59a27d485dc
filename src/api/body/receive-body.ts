/** The whole way of a body: off the network, out of its content coding, without a byte order mark. */
import type { Context } from "hono";
import { Slots, SlotsBusyError } from "../../ops/slots.ts";
import type { AppEnv } from "../app-env.ts";
import { ProblemError } from "../problem-error.ts";
import type { BodyHold } from "./body-memory.ts";
import { decompress, withoutByteOrderMark } from "./decode-body.ts";
import { contentCoding } from "./media.ts";
import { type BodyBounds, readBody } from "./read-body.ts";

/**
 * Bodies that are decompressed at once. The machine's other cores are faster at it than the main thread is at what
 * follows: without turns, whatever arrives at once would stand decompressed in memory at once, not yet counted.
 */
const TURNS = new Slots({ what: "bodies to decompress", slots: 4, line: 1_000, wait_ms: 10_000 });
const RETRY_AFTER_BUSY_S = 1;

/**
 * @param turns of all bodies of the process that have to be decompressed
 * @throws {ProblemError} server-busy, and see `readBody`, `contentCoding` and `decompress`
 */
export async function receiveBody(
  c: Context<AppEnv>,
  bounds: BodyBounds,
  hold: BodyHold,
  turns = TURNS,
): Promise<Uint8Array> {
  const coding = contentCoding(c.req.header("Content-Encoding"));
  c.env?.slowBody?.begin(c.req.raw);
  const sent = await readBody(c.req.raw, bounds, hold);
  c.env?.slowBody?.end(c.req.raw);
  if (coding === "identity") return withoutByteOrderMark(sent);
  return withoutByteOrderMark(
    await inTurn(turns, async () => {
      const body = await decompress(sent, coding, bounds);
      hold.grow(body.byteLength);
      return body;
    }),
  );
}

/** @throws {ProblemError} server-busy, and what the work throws */
async function inTurn(turns: Slots, work: () => Promise<Uint8Array>): Promise<Uint8Array> {
  try {
    return await turns.run(work);
  } catch (error) {
    if (!(error instanceof SlotsBusyError)) throw error;
    throw new ProblemError("server-busy", {
      detail: "Too many compressed bodies arrive at once.",
      headers: { "Retry-After": String(RETRY_AFTER_BUSY_S) },
      cause: error,
    });
  }
}
