/** People of an outside identity provider: let in without a row, seen, limited and shut out by admins. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { JwksSource } from "../../../src/api/auth/jwks-source.ts";
import { OutsideTokens, outsideId } from "../../../src/api/auth/outside-tokens.ts";
import type { UserView } from "../../../src/contract/access.ts";
import { systemClock } from "../../../src/ops/clock.ts";
import { createLogger } from "../../../src/ops/log.ts";
import { PASSWORD, refusedEverywhere, statusOf } from "../../support/access.ts";
import { ApiBench, batchOf, type TestApi, type TestUser } from "../../support/api.ts";
import { AUDIENCE, IdentityProvider } from "../../support/identity-provider.ts";
import { expectProblem } from "../../support/problem.ts";
import { bodyOf, newSystem } from "../../support/registry.ts";
import { Stack } from "../../support/stack.ts";
import { until } from "../../support/until.ts";

let bench: ApiBench;
let provider: IdentityProvider;
let one: TestApi;
let two: TestApi;
let admin: TestUser;
const sources: JwksSource[] = [];
const quiet = createLogger({ level: "error", format: "json" }, {
  write: () => true,
} as unknown as NodeJS.WritableStream);
beforeAll(async () => {
  [bench, provider] = await Promise.all([ApiBench.create(), IdentityProvider.create()]);
  [one, two] = [await start(), await start()];
  admin = await one.tokenFor("admin");
});
afterAll(async () => {
  await bench.close();
  for (const source of sources) await source.stop();
  await provider.close();
});
afterEach(() => {
  provider.answerWith(null);
  bench.postgresProxy.resume();
});

async function start(): Promise<TestApi> {
  const keys = new JwksSource({
    url: provider.url,
    clock: systemClock,
    log: quiet,
    cool_down_ms: 0,
    every_ms: 50,
  });
  keys.start();
  sources.push(keys);
  const settings = {
    issuer: provider.issuer,
    audience: AUDIENCE,
    role_claim: "role",
    name_claim: "preferred_username",
    systems_claim: "systems",
  };
  return bench.start({ outside: new OutsideTokens(settings, keys, systemClock), notes_every_ms: 50 });
}

let people = 0;
/** Somebody new, and a token of theirs. */
async function somebody(more: object = {}, kid = "RS256") {
  people += 1;
  const sub = `person-${people}`;
  const claims = { sub, preferred_username: sub, systems: "*", ...more };
  const token = await provider.sign(provider.claims(claims), kid);
  return {
    id: outsideId(provider.issuer, sub),
    sub,
    token,
    again: (more2: object = {}) => provider.sign(provider.claims({ ...claims, ...more2 }), kid),
  };
}
const user = (id: string) => one.call(admin.token, "GET", `/api/v1/users/${id}`);
const patch = (id: string, body: object) => one.call(admin.token, "PATCH", `/api/v1/users/${id}`, body);
const noted = (id: string) =>
  until("the row is written", async () => {
    const response = await user(id);
    return response.status === 200 && ((await response.json()) as UserView);
  });

describe("somebody of the provider", () => {
  test.each(["RS256", "ES256", "EdDSA"])(
    "is let in with a token signed with %s, and sends batches",
    async (kid) => {
      const { id, sub, token } = await somebody({ role: "producer" }, kid);
      const session = await bodyOf<{ user: object }>(await two.call(token, "GET", "/api/v1/auth/session"));
      const username = `${sub} (${new URL(provider.issuer).host})`;
      expect(session.user).toEqual({ id, username, role: "producer", systems: null });
      const { job_id } = await bodyOf<{ job_id: string }>(
        await one.ingest(token, JSON.stringify(batchOf(1))),
        202,
      );
      expect((await two.job(token, job_id)).status).toBe(200);
      expect((await noted(id)).username).toBe(username);
    },
  );

  test("is held to the role and the systems of the token", async () => {
    const [own, other] = [await newSystem(one, admin.token), await newSystem(one, admin.token)];
    const { token } = await somebody({ role: "engineer", systems: [own.id] });
    expect((await one.call(token, "GET", `/api/v1/systems/${own.id}`)).status).toBe(200);
    await expectProblem(await one.call(token, "GET", `/api/v1/systems/${other.id}`), "system-not-found");
    await expectProblem(await one.call(token, "GET", "/api/v1/users"), "forbidden");
    const nowhere = await somebody({ role: "engineer", systems: undefined });
    await expectProblem(
      await one.call(nowhere.token, "GET", `/api/v1/systems/${own.id}`),
      "system-not-found",
    );
    const list = await bodyOf<{ items: unknown[] }>(await one.call(nowhere.token, "GET", "/api/v1/systems"));
    expect(list.items).toEqual([]);
  });

  test("without a role of ours is known and may do nothing", async () => {
    const { token } = await somebody({ role: "guest" });
    const response = await one.call(token, "GET", "/api/v1/auth/session");
    const { detail } = await expectProblem(response, "forbidden");
    expect(detail).toContain("names no role");
  });

  test("is listed with issuer and role; limits and systems of the row count, the smaller of both", async () => {
    const [own, other] = [await newSystem(one, admin.token), await newSystem(one, admin.token)];
    const { id, token, again } = await somebody({ role: "engineer", systems: [own.id, other.id] });
    expect(await statusOf(two, token)).toBe(200);
    expect(await noted(id)).toMatchObject({
      issuer: provider.issuer,
      role: "engineer",
      systems: null,
      active: true,
    });
    await bodyOf(await patch(id, { systems: [own.id], readings_per_minute: 2 }));
    const get = (system_id: string) => two.call(token, "GET", `/api/v1/systems/${system_id}`);
    await until("the systems count", async () => (await get(other.id)).status === 404);
    expect((await get(own.id)).status).toBe(200);
    await expectProblem(await two.ingest(token, JSON.stringify(batchOf(3, own.id))), "rate-limited");
    // The provider has given another role: the newest token counts, and the list follows.
    const newest = await again({ role: "reviewer" });
    await until("the list follows", async () => {
      // Used more than once, as tokens are: what the other process noted before may be written after it.
      expect(await statusOf(one, newest)).toBe(200);
      return (await bodyOf<UserView>(await user(id))).role === "reviewer";
    });
  });

  test("is shut out by an admin, everywhere, with every token, and let in again", async () => {
    const { id, token, again } = await somebody();
    expect(await statusOf(one, token)).toBe(200);
    await noted(id);
    await bodyOf(await patch(id, { active: false }));
    await refusedEverywhere([one, two], token);
    await refusedEverywhere([one, two], await again({ jti: "another" }));
    await bodyOf(await patch(id, { active: true }));
    for (const api of [one, two])
      await until("they are back", async () => (await statusOf(api, token)) === 200);
  });

  test("logs out: the token ends everywhere, another one does not, and writing it otherwise does not help", async () => {
    const { token, again } = await somebody({}, "ES256");
    const other = await again({ jti: "2" });
    const twin = otherSignature(token);
    for (const api of [one, two]) {
      for (const written of [token, twin]) expect(await statusOf(api, written)).toBe(200);
    }
    expect((await one.call(token, "POST", "/api/v1/auth/logout")).status).toBe(204);
    await refusedEverywhere([one, two], token);
    expect(await statusOf(two, other)).toBe(200);
    await refusedEverywhere([one, two], twin);
  });

  test("has role and password from the provider alone", async () => {
    const { id, token } = await somebody();
    expect(await statusOf(one, token)).toBe(200);
    const { username } = await noted(id);
    await expectProblem(await patch(id, { role: "admin" }), "outside-identity");
    const path = `/api/v1/users/${id}/password`;
    await expectProblem(
      await one.call(admin.token, "POST", path, { password: PASSWORD }),
      "outside-identity",
    );
    const own = { current_password: "x", new_password: PASSWORD };
    await expectProblem(await one.call(token, "POST", "/api/v1/auth/password", own), "outside-identity");
    await expectProblem(await one.login(username, PASSWORD), "invalid-credentials");
  });

  test("makes a key at once, which acts for them and stops with them", async () => {
    const { id, token } = await somebody({ role: "producer" });
    const made = await one.call(token, "POST", "/api/v1/keys", { name: "rig", scopes: ["ingest"] });
    const { key, secret } = await bodyOf<{ key: { user_id: string }; secret: string }>(made, 201);
    expect(key.user_id).toBe(id);
    expect((await two.ingest(secret, JSON.stringify(batchOf(1)))).status).toBe(202);
    await bodyOf(await patch(id, { active: false }));
    await refusedEverywhere([one, two], secret);
  });

  test("of the same name as another gets a name of their own", async () => {
    const [first, second] = [
      await somebody({ preferred_username: "anna" }),
      await somebody({ preferred_username: "anna" }),
    ];
    for (const { token } of [first, second]) expect(await statusOf(one, token)).toBe(200);
    const names = [(await noted(first.id)).username, (await noted(second.id)).username];
    expect(new Set(names).size).toBe(2);
    for (const name of names) expect(name).toStartWith("anna (");
  });
});

describe("tokens of our own", () => {
  test("count on beside those of the provider, and neither is taken for the other", async () => {
    expect(await statusOf(one, admin.token)).toBe(200);
    // Signed by the provider, but with what we write into our own.
    const iat = Math.floor(Date.now() / 1000);
    const ours = {
      iss: "hydraulic-ingest",
      aud: "hydraulic-ingest",
      sub: admin.id,
      ver: 0,
      iat,
      exp: iat + 60,
    };
    await expectProblem(
      await one.call(await provider.sign(ours), "GET", "/api/v1/auth/session"),
      "invalid-token",
    );
    // The subject is the id of an admin of ours.
    const { token } = await somebody({ sub: admin.id, role: "producer" });
    const session = await bodyOf<{ user: { id: string; role: string } }>(
      await one.call(token, "GET", "/api/v1/auth/session"),
    );
    expect(session.user.id).not.toBe(admin.id);
    expect(session.user.role).toBe("producer");
  });
});

describe("an outage", () => {
  test("of the provider leaves everybody in whose key was read, and is no 401 for others", async () => {
    const { token, again } = await somebody();
    expect(await statusOf(two, token)).toBe(200);
    provider.answerWith(() => new Response("no", { status: 500 }));
    expect(await statusOf(two, await again({ jti: "2" }))).toBe(200);
    const late = await start();
    const response = await late.call(token, "GET", "/api/v1/auth/session");
    await expectProblem(response, "service-unavailable");
    expect(response.headers.get("Retry-After")).toBeString();
    provider.answerWith(null);
    await until("they are let in", async () => (await statusOf(late, token)) === 200);
  });

  test("of Postgres leaves them in, also those who are new, and shuts out who was shut out", async () => {
    const gone = await somebody();
    expect(await statusOf(one, gone.token)).toBe(200);
    await noted(gone.id);
    await bodyOf(await patch(gone.id, { active: false }));
    await refusedEverywhere([one, two], gone.token);
    bench.postgresProxy.refuse();
    const fresh = await somebody({ role: "producer" });
    expect((await one.ingest(fresh.token, JSON.stringify(batchOf(1)))).status).toBe(202);
    expect(await statusOf(one, gone.token)).toBe(401);
    bench.postgresProxy.resume();
    await noted(fresh.id);
  });

  test("a key that the provider withdraws lets nobody in any more, remembered or not", async () => {
    await provider.addKey("leaked", "ES256");
    const { token } = await somebody({}, "leaked");
    for (const api of [one, two])
      await until("it is known", async () => (await statusOf(api, token)) === 200);
    provider.removeKey("leaked");
    await refusedEverywhere([one, two], token);
  });
});

describe("the program", () => {
  test("takes the provider's tokens when it is configured, and measures its keys", async () => {
    const stack = await Stack.create({
      OIDC_JWKS_URL: provider.url,
      OIDC_ISSUER: provider.issuer,
      OIDC_AUDIENCE: AUDIENCE,
      OIDC_ROLE_CLAIM: "realm_access.roles",
    });
    try {
      await stack.start("api");
      const token = await provider.sign(
        provider.claims({ role: undefined, realm_access: { roles: ["x", "engineer"] } }),
      );
      const headers = { Authorization: `Bearer ${token}` };
      const response = await fetch(`${stack.url}/api/v1/auth/session`, { headers });
      expect(await response.json()).toMatchObject({ user: { role: "engineer", systems: null } });
      const metrics = await (await fetch(`${stack.url}/metrics`)).text();
      expect(metrics).toMatch(/identity_provider_looks_total\{outcome="read"\} [1-9]/);
      expect(metrics).toMatch(/identity_provider_keys_age_seconds \d/);
    } finally {
      await stack.close();
    }
  });
});

/** The same token with the other of the two signatures that ECDSA has for it: (r, n - s) in place of (r, s). */
function otherSignature(token: string): string {
  const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
  const at = token.lastIndexOf(".") + 1;
  const bytes = Buffer.from(token.slice(at), "base64url");
  const s = BigInt(`0x${bytes.subarray(32).toString("hex")}`);
  bytes.set(Buffer.from((order - s).toString(16).padStart(64, "0"), "hex"), 32);
  return token.slice(0, at) + bytes.toString("base64url");
}
