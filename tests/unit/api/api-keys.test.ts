/** API keys: what they look like, that typing errors are told, and that only the key itself fits its hash. */
import { describe, expect, test } from "bun:test";
import { isKeyOf, looksLikeKey, mintKey, prefixOf } from "../../../src/api/auth/api-keys.ts";

/** As docs/access.md gives it to scanners of leaked secrets. */
const SCANNED = /\bhi_[0-9A-Za-z]{8}_[0-9A-Za-z]{38}\b/;

describe("an API key", () => {
  test("has the shape that scanners look for, and differs each time", () => {
    const keys = Array.from({ length: 200 }, mintKey);
    for (const { secret, prefix, hash } of keys) {
      expect(secret).toMatch(new RegExp(`^${SCANNED.source.replaceAll("\\b", "")}$`));
      expect(`token=${secret};`).toMatch(SCANNED);
      expect(secret).toStartWith(`${prefix}_`);
      expect(prefixOf(secret)).toBe(prefix);
      expect(looksLikeKey(secret)).toBe(true);
      expect(isKeyOf(secret, hash)).toBe(true);
      expect(hash).not.toContain(secret);
    }
    expect(new Set(keys.map(({ secret }) => secret)).size).toBe(200);
    expect(new Set(keys.map(({ prefix }) => prefix)).size).toBe(200);
  });

  test("uses its whole alphabet evenly: no character of 200,000 is a tenth off", () => {
    const counts = new Map<string, number>();
    for (let i = 0; i < 5_000; i += 1) {
      for (const c of mintKey().secret.slice(3, 11) + mintKey().secret.slice(12, 44))
        counts.set(c, (counts.get(c) ?? 0) + 1);
    }
    expect(counts.size).toBe(62);
    for (const n of counts.values()) expect(n / (200_000 / 62)).toBeWithin(0.9, 1.1);
  });

  test("with any one character changed, two swapped, or one missing is told from a key that is not known", () => {
    const { secret } = mintKey();
    for (let i = 3; i < secret.length; i += 1) {
      if (secret[i] === "_") continue;
      const other = secret[i] === "a" ? "b" : "a";
      expect(prefixOf(secret.slice(0, i) + other + secret.slice(i + 1))).toBeNull();
      expect(prefixOf(secret.slice(0, i) + secret.slice(i + 1))).toBeNull();
      const [a, b] = [secret[i], secret[i + 1]];
      if (b === undefined || b === "_" || a === b) continue;
      expect(prefixOf(secret.slice(0, i) + b + a + secret.slice(i + 2))).toBeNull();
    }
    for (const wrong of [
      "hi_",
      `${secret} `,
      ` ${secret}`,
      secret.toUpperCase(),
      `${secret}${secret}`,
      "hi_é",
    ]) {
      expect(prefixOf(wrong)).toBeNull();
    }
  });

  test("is not found by the hash of another one of the same prefix", () => {
    const { hash } = mintKey();
    expect(isKeyOf(mintKey().secret, hash)).toBe(false);
    expect(looksLikeKey("eyJhbGciOiJIUzI1NiJ9.e30.x")).toBe(false);
  });
});
