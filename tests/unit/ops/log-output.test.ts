/** A log that cannot be written: nothing throws, nothing is kept in memory, and what is lost is told. */
import { expect, test } from "bun:test";
import { LogOutput } from "../../../src/ops/log-output.ts";

/** A disk whose state can be changed, and what is on it. */
function disk() {
  const state = { code: null as string | null, piece: Number.POSITIVE_INFINITY, text: "", calls: 0 };
  const write = (_: number, bytes: Uint8Array) => {
    state.calls += 1;
    if (state.code !== null) throw Object.assign(new Error(state.code), { code: state.code });
    const part = bytes.subarray(0, state.piece);
    state.text += Buffer.from(part).toString();
    return part.length;
  };
  return { state, output: new LogOutput(1, (json) => json, write) };
}

test("lines are written whole, however little is taken at once", () => {
  const { state, output } = disk();
  state.piece = 3;
  for (const n of [1, 2]) output.write(`{"msg":"lïne ${n}"}\n`);
  expect(state.text).toBe('{"msg":"lïne 1"}\n{"msg":"lïne 2"}\n');
});

test.each(["ENOSPC", "EPIPE", "EIO"])(
  "%s: the service goes on, and the first line that can be written says how many are missing",
  (code) => {
    const { state, output } = disk();
    output.write('{"msg":"before"}\n');
    state.code = code;
    for (let n = 0; n < 1_000; n += 1) output.write('{"msg":"lost"}\n');
    state.code = null;
    output.write('{"msg":"after"}\n');
    const lines = state.text
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(lines.map(({ msg, lines: lost }) => [msg, lost])).toEqual([
      ["before", undefined],
      ["log lines could not be written and are lost", 1_000],
      ["after", undefined],
    ]);
  },
);

test("a line that broke off in its middle does not spoil the next one", () => {
  const room = [5, 0];
  let text = "";
  const output = new LogOutput(
    1,
    (json) => json,
    (_, bytes) => {
      const taken = Math.min(room.shift() ?? bytes.length, bytes.length);
      if (taken === 0) throw Object.assign(new Error("full"), { code: "ENOSPC" });
      text += Buffer.from(bytes.subarray(0, taken)).toString();
      return taken;
    },
  );
  output.write('{"msg":"torn"}\n');
  output.write('{"msg":"whole"}\n');
  const [torn, told, whole] = text.split("\n");
  expect(torn).toBe('{"msg');
  expect(JSON.parse(told!).lines).toBe(1);
  expect(JSON.parse(whole!).msg).toBe("whole");
});

test("a reader that does not read is waited for once, not for each line", () => {
  const { state, output } = disk();
  state.code = "EAGAIN";
  output.write("{}\n");
  const { calls } = state;
  expect(calls).toBeGreaterThan(1);
  for (let n = 0; n < 100; n += 1) output.write("{}\n");
  expect(state.calls - calls).toBe(100);
});
