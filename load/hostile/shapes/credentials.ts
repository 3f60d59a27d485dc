/** Good requests of somebody who is nobody: each would change or show something, and none may. */
import type { Chance } from "../../../src/feed/simulate/chance.ts";
import { bearer, type Header, type HostileCase, hostile, request } from "../case.ts";
import type { Ground } from "../ground.ts";
import { goodBatch, nastyHeader } from "../nasty.ts";
import { pathTo } from "../routes.ts";

const encoded = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");

/** A token that differs from a good one in one thing. */
function forged(good: string, chance: Chance): readonly [string, string] {
  const [head = "", payload = "", signature = ""] = good.split(".");
  const claims = JSON.parse(Buffer.from(payload, "base64url").toString()) as Record<string, unknown>;
  const changed = encoded({ ...claims, role: "admin", sub: crypto.randomUUID() });
  const last = signature.slice(0, -4) + [...signature.slice(-4)].reverse().join("");
  return chance.pick<readonly [string, string]>([
    ["alg none", `${encoded({ alg: "none", typ: "JWT" })}.${payload}.`],
    ["alg None", `${encoded({ alg: "nOnE" })}.${payload}.${signature}`],
    ["another alg", `${encoded({ alg: "HS512", typ: "JWT" })}.${payload}.${signature}`],
    ["RS256", `${encoded({ alg: "RS256", typ: "JWT", kid: "../../dev/null" })}.${payload}.${signature}`],
    [
      "a key of its own",
      `${encoded({ alg: "HS256", jwk: { kty: "oct", k: "AA" } })}.${payload}.${signature}`,
    ],
    ["a key elsewhere", `${encoded({ alg: "HS256", jku: "http://127.0.0.1:1/" })}.${payload}.${signature}`],
    [
      "a critical extension",
      `${encoded({ alg: "HS256", crit: ["exp"], b64: false })}.${payload}.${signature}`,
    ],
    ["other claims", `${head}.${changed}.${signature}`],
    ["another signature", `${head}.${payload}.${last === signature ? "AAAA" : last}`],
    ["no signature", `${head}.${payload}.`],
    ["two parts", `${head}.${payload}`],
    ["five parts", `${head}.${payload}.${signature}.a.b`],
    ["claims that are no JSON", `${head}.${Buffer.from("{").toString("base64url")}.${signature}`],
    ["a head that is no JSON", `bm9uZQ.${payload}.${signature}`],
    ["a huge token", `${head}.${"A".repeat(1 + chance.below(12_000))}.${signature}`],
    ["dots", ".".repeat(1 + chance.below(3_000))],
  ]);
}

function credential({ admin, expired, key }: Ground, chance: Chance): readonly [string, readonly Header[]] {
  const kind = chance.below(12);
  if (kind === 0) return ["none", []];
  if (kind === 1) return ["expired", [bearer(expired)]];
  if (kind === 2)
    return ["Basic", [["Authorization", `Basic ${Buffer.from("admin:password").toString("base64")}`]]];
  if (kind === 3) return ["nonsense", [["Authorization", nastyHeader(chance)]]];
  if (kind === 4)
    return ["a mistyped key", [["X-Api-Key", `${key.slice(0, -1)}${key.endsWith("A") ? "B" : "A"}`]]];
  if (kind === 5)
    return ["a long key", [["X-Api-Key", key.repeat(1 + chance.below(100)).slice(0, 8_000) + key]]];
  if (kind === 6)
    return [
      "a cookie from elsewhere",
      [
        ["Cookie", `hydraulic_session=${admin}`],
        ["Sec-Fetch-Site", "cross-site"],
        ["Origin", "https://evil.example"],
      ],
    ];
  if (kind === 7) return ["a bad cookie", [["Cookie", `hydraulic_session=${nastyHeader(chance)}; a=b`]]];
  const [name, token] = forged(admin, chance);
  return [name, [bearer(token)]];
}

/** Every operation that asks who it is, with its own good body. */
export function credentials(ground: Ground, chance: Chance): HostileCase {
  const route = chance.pick(ground.routes.filter(({ isPublic }) => !isPublic));
  const [shape, headers] = credential(ground, chance);
  // The cookie of a page from elsewhere is good for questions.
  const expect = shape === "a cookie from elsewhere" && route.method === "GET" ? "harmless" : "refused";
  const body =
    route.operation === "ingestBatch" ? Buffer.from(goodBatch(ground.victim, chance)) : route.body?.example;
  const type: Header[] = route.body === null ? [] : [["Content-Type", route.body.media]];
  const bytes = request(route.method, pathTo(route, chance), [...headers, ...type], body);
  return hostile("credentials", shape, bytes, { operation: route.operation, expect });
}
