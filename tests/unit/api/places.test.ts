/** Places of a user and of all are counted right whatever comes and goes, in whatever order. */
import { expect, test } from "bun:test";
import { Places } from "../../../src/api/limits/places.ts";
import { ProblemError } from "../../../src/api/problem-error.ts";

const problemOf = (work: () => unknown): string => {
  try {
    work();
  } catch (error) {
    if (error instanceof ProblemError) return error.problem;
    throw error;
  }
  return "none";
};

test("a place that is given back twice is one place", () => {
  const places = new Places({ what: "things", all: 2, of_one_user: 2 });
  const free = places.take("ada");
  places.take("ada");
  free();
  free();
  expect(places.taken).toBe(1);
  places.take("ada");
  expect(problemOf(() => places.take("ada"))).toBe("too-many-at-once");
});

test("who is refused takes nothing, and is counted under the bound that refused it", () => {
  const refused: string[] = [];
  const places = new Places({ what: "things", all: 3, of_one_user: 2 }, (bound) => refused.push(bound));
  const ofAda = [places.take("ada"), places.take("ada")];
  for (let i = 0; i < 5; i += 1) expect(problemOf(() => places.take("ada"))).toBe("too-many-at-once");
  const ofBob = places.take("bob");
  expect(problemOf(() => places.take("bob"))).toBe("server-busy");
  expect(refused).toEqual([...Array(5).fill("user"), "all"]);
  for (const free of [...ofAda, ofBob]) free();
  expect(places.taken).toBe(0);
});

test("nothing is kept of users who have none any more", () => {
  const places = new Places({ what: "things", all: 10, of_one_user: 1 });
  for (let i = 0; i < 10_000; i += 1) places.take(`user ${i}`)();
  expect(places.taken).toBe(0);
  expect(places.users).toBe(0);
});
