/** What a person sees while long steps run. */
import { expect, test } from "bun:test";
import { terminalProgress } from "../../src/services/terminal-progress.ts";

const MIB = 1024 * 1024;

function recorder(isTTY: boolean): {
  text: () => string;
  stream: { isTTY: boolean; write(part: string): void };
} {
  let all = "";
  return {
    text: () => all,
    stream: {
      isTTY,
      write(part) {
        all += part;
      },
    },
  };
}

test("without a terminal: whole lines, one per tenth at most, each amount once", () => {
  const { text, stream } = recorder(false);
  const progress = terminalProgress(stream);
  progress.step("Getting it");
  for (let done = 0; done <= 200; done++) progress.amount("Downloading", done * MIB, 200 * MIB);
  progress.amount("Downloading", 200 * MIB, 200 * MIB);
  const lines = text().trimEnd().split("\n");
  expect(lines).toHaveLength(12);
  expect(lines[0]).toBe("Getting it");
  expect(lines[1]).toBe("  Downloading 0.0 of 200.0 MB (0 %)");
  expect(lines.at(-1)).toBe("  Downloading 200.0 of 200.0 MB (100 %)");
  expect(text()).not.toContain("\x1b");
});

test("on a terminal: one moving line, closed before anything else is written", () => {
  const { text, stream } = recorder(true);
  const progress = terminalProgress(stream);
  progress.amount("Unpacking", 1, 4);
  progress.amount("Unpacking", 2, 4);
  progress.step("Starting");
  progress.amount("Unpacking", 4, 4);
  progress.amount("Unpacking", 4, 4);
  expect(text().replaceAll("\r\x1b[2K", "<")).toBe(
    "<  Unpacking 1 of 4 (25 %)<  Unpacking 2 of 4 (50 %)\nStarting\n<  Unpacking 4 of 4 (100 %)\n",
  );
});

test("an empty amount is done at once", () => {
  const { text, stream } = recorder(false);
  terminalProgress(stream).amount("Downloading", 0, 0);
  expect(text()).toBe("  Downloading 0 of 0 (100 %)\n");
});
