import { describe, expect, test } from "bun:test";
import { BodyMemory } from "../../../src/api/body/body-memory.ts";
import { ProblemError } from "../../../src/api/problem-error.ts";

describe("the memory for bodies", () => {
  test("is given out up to the bound to the byte, over all requests, and comes back whole", () => {
    const memory = new BodyMemory(100);
    const [one, two] = [memory.open(), memory.open()];
    one.grow(60);
    two.grow(30);
    two.grow(10);
    expect(memory.held_bytes).toBe(100);
    expect(() => two.grow(1)).toThrow(ProblemError);
    expect(memory.held_bytes).toBe(100);
    two.release();
    expect(memory.held_bytes).toBe(60);
    two.release();
    one.release();
    expect(memory.held_bytes).toBe(0);
  });
});
