/** Texts, numbers and batches that someone would send who means no good. */
import type { Chance } from "../../src/feed/simulate/chance.ts";
import { uuid } from "./routes.ts";

const TEXTS: readonly string[] = [
  "",
  " ",
  "\0",
  "a\0b",
  "../../../../etc/passwd",
  "..%2f..%2f",
  "__proto__",
  "constructor",
  "toString",
  "hasOwnProperty",
  "NaN",
  "Infinity",
  "-0",
  "1e400",
  "-1",
  "9007199254740993",
  "99999999999999999999999999999999999999999",
  "0x10",
  "1e9999999999",
  "null",
  "undefined",
  "true",
  "' OR '1'='1",
  "'; DROP TABLE diagnostics_user; --",
  "$1",
  "\u0024{jndi:ldap://127.0.0.1/a}",
  "{{7*7}}",
  "<script>alert(1)</script>",
  "\ufeff",
  "\u202e\u0000\u2028",
  "\ud800",
  "𝕳𝖞𝖉𝖗𝖔",
  "e\u0301".repeat(50),
  "*",
  "%",
  "%00",
  "2024-02-30T00:00:00Z",
  "0000-00-00T00:00:00Z",
  "9999-12-31T23:59:60Z",
  "+275760-09-13T00:00:00.001Z",
  "2026-01-01T00:00:00+99:99",
  "W3siYSI6MX1d",
  "WyIiXQ",
  "W10",
  "e30",
];

export function nastyText(chance: Chance): string {
  const kind = chance.below(10);
  if (kind < 6) return chance.pick(TEXTS);
  if (kind === 6)
    return String.fromCharCode(...Array.from({ length: chance.below(40) }, () => chance.below(0x1_0000)));
  if (kind === 7) return chance.pick(TEXTS).repeat(1 + chance.below(200));
  if (kind === 8)
    return Buffer.from(JSON.stringify([chance.pick(TEXTS), chance.pick(TEXTS)])).toString("base64url");
  // Never a whole one: that would name a system.
  return uuid(chance).slice(0, chance.below(36));
}

/** As it may stand in a target: escaped, wrongly escaped, or not at all. */
export function nastyEscape(chance: Chance): string {
  const text = nastyText(chance);
  const kind = chance.below(5);
  if (kind < 2) return encodeURIComponent(text.toWellFormed());
  if (kind === 2)
    return chance.pick(["%", "%z", "%zz", "%0", "%00", "%ff", "%c0%af", "%ed%a0%80", "%u0041", "%25%30%30"]);
  if (kind === 3) return escape(text).slice(0, 2_000);
  // As it is, but for what would end the target.
  return Buffer.from(text)
    .toString("latin1")
    .replace(/[\0-\x20\x7f#]/g, "+");
}

const CONTROL = /[\0\r\n]/g;
/** A value that stands in one header line. */
export function nastyHeader(chance: Chance): string {
  return Buffer.from(nastyText(chance)).toString("latin1").replace(CONTROL, "?").slice(0, 4_000);
}

/** A value of JSON, as text, that is neither text, whole number, list nor object of any schema. */
export function nastyJson(chance: Chance): string {
  const deep = 1 + chance.below(3_000);
  return chance.pick([
    () => "1e400",
    () => "-1e400",
    () => "-0.5e-400",
    () => "[[[[]]]]",
    () => `${"[".repeat(deep)}${"]".repeat(deep)}`,
    () => `${'{"a":'.repeat(deep)}1${"}".repeat(deep)}`,
    () => '{"__proto__":{"admin":true}}',
    () => '{"constructor":{"prototype":{"x":1}}}',
    () => "true",
    () => "1.5e300",
    () => "[null]",
  ])();
}

/** A batch that would be accepted. */
export function goodBatch(system_id: string, chance: Chance, readings = 1): string {
  const list = Array.from({ length: readings }, () => goodReading(chance));
  return `{"system_id":"${system_id}","readings":[${list.join(",")}]}`;
}

export function goodReading(chance: Chance): string {
  const at = new Date(Date.now() - chance.below(86_400_000)).toISOString();
  return `{"sensor_id":"${uuid(chance)}","timestamp":"${at}","value":${chance.below(70_000) / 100},"unit":"bar","quality":95}`;
}

/** Texts, as JSON, that members of these names must not have. */
const FORBIDDEN: Readonly<Record<string, readonly string[]>> = {
  name: ['""', '" a"', '"a\\u0000"', '"\\ud800"', '"a\\udfff"', '"\\u001b[31m"', `"${"x".repeat(5_000)}"`],
  username: ['""', '"a\\u0000b"', '"\\n"', `"${"x".repeat(5_000)}"`],
  url: [
    '"http://127.0.0.1/"',
    '"https://127.1/"',
    '"https://[::ffff:127.0.0.1]/"',
    '"https://0x7f000001/"',
    '"https://169.254.169.254/latest/meta-data"',
    '"file:///etc/passwd"',
    '"gopher://127.0.0.1:6379/_FLUSHALL"',
    '"javascript:alert(1)"',
    '"https://a\\u0000b/"',
    '""',
  ],
};

/** A value that a member must not have. */
export function forbiddenJson(member: string, chance: Chance): string {
  const texts = Object.hasOwn(FORBIDDEN, member) ? FORBIDDEN[member] : undefined;
  return texts !== undefined && chance.below(2) === 0 ? chance.pick(texts) : nastyJson(chance);
}
