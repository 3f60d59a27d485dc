/** A server that is just starting, stopping or recovering refuses a start in its own words: no mistake of the program. */
import { afterEach, expect, spyOn, test } from "bun:test";
import net from "node:net";
import { fail } from "../../src/commands/fail.ts";
import { updateExtension } from "../../src/store/edition.ts";
import { ConnectionLostError, StoreUnavailableError } from "../../src/store/errors.ts";

let server: net.Server | undefined;
afterEach(() => {
  server?.close();
  server = undefined;
});

/** Answers every connection with one error (PostgreSQL documentation, "Message Formats", ErrorResponse). */
async function refusing(code: string, message: string): Promise<string> {
  const fields = Buffer.from(`SFATAL\0VFATAL\0C${code}\0M${message}\0\0`);
  const head = Buffer.alloc(5);
  head.write("E");
  head.writeInt32BE(fields.length + 4, 1);
  server = net.createServer((socket) => {
    socket.on("error", () => undefined);
    socket.once("data", () => socket.end(Buffer.concat([head, fields])));
  });
  await new Promise<void>((resolve) => server!.listen(0, "127.0.0.1", resolve));
  return `postgres://nobody:x@127.0.0.1:${(server.address() as net.AddressInfo).port}/none`;
}

/** What a command that ends with the error prints. */
function lastWords(error: unknown): string {
  const before = process.exitCode;
  const write = spyOn(process.stderr, "write").mockImplementation(() => true);
  try {
    fail(error);
    expect(process.exitCode).toBe(1);
    return write.mock.calls.map(([text]) => String(text)).join("");
  } finally {
    write.mockRestore();
    process.exitCode = before ?? 0;
  }
}

test.each([
  ["57P03", "the database system is not yet accepting connections"],
  ["57P03", "the database system is starting up"],
  ["53300", "sorry, too many clients already"],
  ["28P01", "password authentication failed"],
])("%s (%s)", async (code, message) => {
  const url = await refusing(code, message);
  const error = await updateExtension(url).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(StoreUnavailableError);
  expect(lastWords(error)).toBe(`error: PostgreSQL (extension): ${message}\n`);
});

test("a connection that ends in the middle of a start is told without a stack, a mistake with one", () => {
  expect(lastWords(new ConnectionLostError("the session ended"))).toBe("error: the session ended\n");
  expect(lastWords(new TypeError("x is not a function"))).toMatch(
    /^error: this is a mistake of the program itself\nTypeError: x is not a function\n +at /,
  );
});
