/** Parameters, cursors and credentials as routes read them: each is taken, or refused with a problem that is the client's. */
import { Hono } from "hono";
import { AccessTokens } from "../../../../src/api/auth/access-tokens.ts";
import { isKeyOf, looksLikeKey, prefixOf } from "../../../../src/api/auth/api-keys.ts";
import { InvalidCredentialError } from "../../../../src/api/auth/invalid-credential.ts";
import { cursorParameter, toCursor } from "../../../../src/api/cursor.ts";
import { matchedVersions } from "../../../../src/api/etag.ts";
import {
  choiceParameter,
  numberParameter,
  onlyParameters,
  textParameter,
  timeParameter_us,
  uuidParameter,
  wholeParameter,
} from "../../../../src/api/parameters.ts";
import { ProblemError } from "../../../../src/api/problem-error.ts";
import { PROBLEMS } from "../../../../src/contract/problem.ts";
import { systemClock } from "../../../../src/ops/clock.ts";
import type { FuzzTarget } from "../fuzzer.ts";
import { words } from "./bodies.ts";

const app = new Hono();
app.get("/", (c) => {
  onlyParameters(c, ["after", "limit", "min", "id", "from", "word", "q"]);
  const cursor = cursorParameter(c, 2);
  if (cursor !== null && toCursor(cursor) === "") throw new Error("a cursor of nothing");
  const limit = wholeParameter(c, "limit", { min: 1, max: 100, fallback: 10 });
  if (!(Number.isInteger(limit) && limit >= 1 && limit <= 100)) throw new Error(`a limit of ${limit}`);
  const min = numberParameter(c, "min", { min: -1e100, max: 1e100 });
  if (min !== undefined && !Number.isFinite(min)) throw new Error(`a minimum of ${min}`);
  const text = textParameter(c, "q", 50);
  if (text?.includes("\0")) throw new Error("a text that cannot be stored");
  const read = [
    cursor,
    uuidParameter(c, "id"),
    timeParameter_us(c, "from"),
    choiceParameter(c, "word", ["a", "b"], "a"),
  ];
  matchedVersions(c);
  return c.text(read.map((one) => (one === null || one === undefined ? "-" : "x")).join(""));
});
app.onError((error, c) => {
  if (!(error instanceof ProblemError)) throw error;
  if (PROBLEMS[error.problem].status >= 500) throw error;
  return c.text(`${error.problem}: ${words(error.detail)}`);
});

/** A query, and a header behind a line end. */
const QUERY_TARGET: FuzzTarget = {
  name: "query",
  async look(bytes) {
    const [query = "", match = ""] = bytes.toString("latin1").split("\n");
    const visible = match.replace(/[^\x20-\x7e]/g, "");
    const answer = await app.request(`http://a/?${query.replaceAll("#", "")}`, {
      headers: { "If-Match": visible },
    });
    return answer.text();
  },
};

const settings = {
  secret: "a secret of a fuzzer, 0123456789abcdef",
  algorithm: "HS256",
  lifetime_s: 3_600,
  session_s: 3_600,
} as const;
const tokens = new AccessTokens(settings, systemClock);
const USER = {
  id: "0199a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a10",
  username: "a",
  role: "admin",
  token_version: 3,
} as const;
/** Samples have this in place of a good token, which would expire. */
const GOOD = "TOKEN";

const TOKEN_TARGET: FuzzTarget = {
  name: "token",
  async look(bytes) {
    const good = (await tokens.issue(USER)).access_token;
    const text = bytes.toString("latin1").replace(GOOD, () => good);
    if (looksLikeKey(text) && prefixOf(text) !== null && isKeyOf(text, ""))
      throw new Error("a key without a hash fits");
    try {
      const { sub, ver } = await tokens.verify(text);
      const covered = (token: string) => token.slice(0, token.lastIndexOf("."));
      if (covered(text) !== covered(good) || sub !== USER.id || ver !== USER.token_version)
        throw new Error("a token that nobody signed is believed");
      return "good";
    } catch (error) {
      if (!(error instanceof InvalidCredentialError)) throw error;
      return `${error.kind} ${looksLikeKey(text) ? "key" : ""} ${text.split(".").length}`;
    }
  },
};

export const REQUEST_TARGETS: readonly FuzzTarget[] = [QUERY_TARGET, TOKEN_TARGET];
