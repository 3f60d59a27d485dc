/** Bodies that no route takes: of wrong types, in wrong codings, and no JSON or not the JSON that is asked for. */
import type { Chance } from "../../../src/feed/simulate/chance.ts";
import { bearer, type Header, type HostileCase, hostile, JSON_TYPE, request } from "../case.ts";
import { CODED } from "../coded.ts";
import type { Ground } from "../ground.ts";
import { forbiddenJson, goodBatch, goodReading, nastyHeader, nastyJson, nastyText } from "../nasty.ts";
import { type HostileRoute, pathTo, type RouteBody } from "../routes.ts";

type BodyRoute = HostileRoute & { readonly body: RouteBody };
const writes = ({ routes }: Ground) => routes.filter((route): route is BodyRoute => route.body !== null);

/** Where it goes: the victim's bucket for what names its system in the query. */
function targetOf(route: HostileRoute, { victim }: Ground, chance: Chance): string {
  const path = pathTo(route, chance);
  return route.operation === "writeLineProtocol" ? `${path}?bucket=${victim}` : path;
}

function sent(
  ground: Ground,
  chance: Chance,
  route: HostileRoute,
  shape: readonly [kind: string, shape: string],
  headers: readonly Header[],
  body: Uint8Array,
): HostileCase {
  const token = route.operation === "ingestBatch" ? ground.producer : ground.admin;
  const bytes = request(route.method, targetOf(route, ground, chance), [bearer(token), ...headers], body);
  return hostile(shape[0], shape[1], bytes, { operation: route.operation });
}

/** The example of the route, which is good, under a type that it is not. */
export function mediaTypes(ground: Ground, chance: Chance): HostileCase {
  // Line protocol is taken whatever its type is.
  const route = chance.pick(writes(ground).filter(({ operation }) => operation !== "writeLineProtocol"));
  const type = chance.pick([
    "text/plain",
    "application/xml",
    "multipart/form-data; boundary=x",
    "application/x-www-form-urlencoded",
    "application/json; charset=utf-16",
    "application/json; charset=latin1",
    'application/json;charset="utf-8";charset=utf-7',
    "application/jsonp",
    "application/json, text/html",
    "application /json",
    "*/*",
    "",
    `application/${"x".repeat(3_000)}`,
    "application/octet-stream",
  ]);
  const headers: Header[] = chance.below(8) === 0 ? [] : [["Content-Type", type]];
  return sent(ground, chance, route, ["media types", "wrong"], headers, route.body.example);
}

/** Content codings: unknown, stacked, not what the body is, cut, damaged, and bombs. */
export function codings(ground: Ground, chance: Chance): HostileCase {
  const route = chance.pick(writes(ground));
  const type: Header = ["Content-Type", route.body.media];
  if (chance.below(3) === 0) {
    const coding = chance.pick([
      "br",
      "compress",
      "gzip, gzip",
      "gzip,identity",
      "zstd, gzip",
      "*",
      "",
      "gzip;q=1",
      nastyHeader(chance) || "x",
    ]);
    return sent(
      ground,
      chance,
      route,
      ["codings", "unknown or stacked"],
      [type, ["Content-Encoding", coding]],
      route.body.example,
    );
  }
  const [name, coding, body] = chance.pick(CODED)(route.body.example, chance);
  return sent(ground, chance, route, ["codings", name], [type, ["Content-Encoding", coding]], body);
}

/** The example with something in place of a member that must be there, or cut, or in another text encoding. */
export function jsonBodies(ground: Ground, chance: Chance): HostileCase {
  const route = chance.pick(writes(ground).filter(({ body }) => body.media === "application/json"));
  const text = route.body.example.toString();
  const broken = brokenJson(text, chance);
  const [name, body] = broken ?? [
    "a member of another kind",
    Buffer.from(withNasty(route.body, text, chance)),
  ];
  return sent(ground, chance, route, ["JSON", name], [JSON_TYPE], body);
}

const KINDS = 18;
/** null: well-formed, for `withNasty`. */
function brokenJson(text: string, chance: Chance): readonly [string, Uint8Array] | null {
  const deep = 1 + chance.below(200_000);
  const cut = 1 + chance.below(Math.max(1, text.length - 1));
  const kinds: (() => readonly [string, Uint8Array])[] = [
    () => ["cut", Buffer.from(text.slice(0, cut === text.length ? 1 : cut))],
    () => ["with a tail", Buffer.from(`${text}${chance.pick(["x", "{}", ",", "\0", "]"])}`)],
    () => ["UTF-16", Buffer.from(text, "utf16le")],
    () => ["UTF-16 with a mark", Buffer.from(`\ufeff${text}`, "utf16le")],
    () => ["UTF-32", Buffer.concat([...text].map((c) => Buffer.from([c.charCodeAt(0), 0, 0, 0])))],
    () => [
      "not UTF-8",
      Buffer.concat([Buffer.from('{"a":"'), Buffer.from([0xc3, 0x28, 0xed, 0xa0, 0x80]), Buffer.from('"}')]),
    ],
    () => ["overlong UTF-8", Buffer.concat([Buffer.from([0xc0, 0xaf]), Buffer.from(text)])],
    () => ["two marks", Buffer.from(`\ufeff\ufeff${text}`)],
    () => ["nested lists", Buffer.from("[".repeat(deep))],
    () => ["nested objects", Buffer.from('{"a":'.repeat(deep))],
    () => ["nothing", new Uint8Array(0)],
    () => ["blanks", Buffer.from(" \n".repeat(chance.below(5_000)))],
    () => [
      "NaN",
      Buffer.from(chance.pick(['{"a":NaN}', "[Infinity]", '{"a":-}', '{"a":01}', '{"a":1.}', '{"a":+1}'])),
    ],
    () => ["single quotation marks", Buffer.from(text.replaceAll('"', "'"))],
    () => ["a comma too many", Buffer.from(text.replace(/}$/, ",}"))],
    () => ["a comment", Buffer.from(`/* */${text}`)],
    () => ["a raw control character", Buffer.from('{"a":"\u0001"}')],
    () => ["an unknown escape", Buffer.from('{"a":"\\x41"}')],
  ];
  const kind = chance.below(KINDS * 2);
  const [name, bytes] = kinds[kind]?.() ?? ["", new Uint8Array(0)];
  return kind < KINDS ? [name, bytes] : null;
}

function withNasty({ required }: RouteBody, text: string, chance: Chance): string {
  // `null` and lists are no body of any route but one, whose null means something.
  if (required.length === 0) return chance.pick(["[]", "[{}]", "1", '"x"', "true", "[[[[[]]]]]", "1e400"]);
  // Any list is a list of readings, however bad they are.
  const name = chance.pick(required.filter((one) => one !== "readings"));
  const value = JSON.stringify(name);
  const rest = Object.entries(JSON.parse(text) as object).filter(([other]) => other !== name);
  const members = rest.map(([other, one]) => `${JSON.stringify(other)}:${JSON.stringify(one)}`);
  const twice =
    chance.below(4) === 0
      ? [`${value}:${JSON.stringify((JSON.parse(text) as Record<string, unknown>)[name])}`]
      : [];
  return `{${[...twice, ...members, `${value}:${forbiddenJson(name, chance)}`].join(",")}}`;
}

const manyReadings = (chance: Chance) =>
  Array.from({ length: 10_001 }, () => "0").join(chance.pick([",", ", "]));

/** Batches of JSON that name the victim and are no batches. */
export function envelopes(ground: Ground, chance: Chance): HostileCase {
  const { victim } = ground;
  const good = goodReading(chance);
  const [name, text] = chance.pick<readonly [string, () => string]>([
    ["too many readings", () => `{"system_id":"${victim}","readings":[${manyReadings(chance)}]}`],
    ["no readings", () => `{"system_id":"${victim}","readings":[]}`],
    ["readings are an object", () => `{"system_id":"${victim}","readings":{"0":${good},"length":1}}`],
    [
      "readings twice, the last ones none",
      () => `{"readings":[${good}],"system_id":"${victim}","readings":[]}`,
    ],
    ["a prototype with readings", () => `{"__proto__":{"system_id":"${victim}","readings":[${good}]}}`],
    [
      "a system that is none",
      () => `{"system_id":${JSON.stringify(nastyText(chance).slice(0, 30))},"readings":[${good}]}`,
    ],
    ["a system of another kind", () => `{"system_id":${nastyJson(chance)},"readings":[${good}]}`],
    ["a system with a tail", () => `{"system_id":"${victim}\\n","readings":[${good}]}`],
    ["a member too many", () => `{"system_id":"${victim}","readings":[],"x":${nastyJson(chance)}}`],
    ["a list", () => `[${goodBatch(victim, chance)}]`],
    ["a text", () => JSON.stringify(goodBatch(victim, chance))],
    ["null", () => "null"],
    ["a giant text", () => `{"system_id":"${"x".repeat(1 + chance.below(300_000))}","readings":[${good}]}`],
    ["a giant number", () => `{"system_id":${"9".repeat(1 + chance.below(100_000))},"readings":[${good}]}`],
  ]);
  const route = ground.routes.find(({ operation }) => operation === "ingestBatch")!;
  return sent(ground, chance, route, ["envelopes", name], [JSON_TYPE], Buffer.from(text()));
}
