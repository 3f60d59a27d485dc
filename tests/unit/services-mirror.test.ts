import { expect, test } from "bun:test";
import { describedMirror } from "../../src/services/embedded/debian-origin.ts";

test.each([
  [
    "Suite: sid\nRepositoryType: deb\nBaseURI: http://mirror.example/debian/\nBaseURI: http://x/\n",
    "http://mirror.example/debian",
  ],
  ["BaseURI: https://mirror.example/debian", "https://mirror.example/debian"],
  ["Suite: sid\n", undefined],
  ["", undefined],
])("the mirror of a distribution's description %p is %p", (info, mirror) => {
  expect(describedMirror(info)).toBe(mirror);
});
