/**
 * What it costs to know who sends a request: µs for each, median of many runs, in a process that knows 10,000 users
 * and 10,000 keys; and what it costs to read those from nothing and again. Everything but the network.
 * `bun load/micro/authentication.ts [runs]`
 */
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { Registry } from "prom-client";
import { AccessRegister } from "../../src/api/auth/access-register.ts";
import { AccessTokens } from "../../src/api/auth/access-tokens.ts";
import { mintKey } from "../../src/api/auth/api-keys.ts";
import { Credentials } from "../../src/api/auth/credentials.ts";
import { JwksSource } from "../../src/api/auth/jwks-source.ts";
import { OUTSIDE_ALGORITHMS, OutsideTokens } from "../../src/api/auth/outside-tokens.ts";
import { systemClock } from "../../src/ops/clock.ts";
import { createLogger } from "../../src/ops/log.ts";
import type { KnownKey, KnownUser } from "../../src/store/access.ts";

const KNOWN = 10_000;
const RUNS = Number(process.argv[2] ?? 2_000);
const WARM_UP = 200;
const SYSTEMS = Array.from({ length: 20 }, () => crypto.randomUUID());
const log = createLogger({ level: "error", format: "json" });

const limits = { requests_per_minute: null, readings_per_minute: null, changed_at: "1" };
const users = Array.from({ length: KNOWN }, (_, i): KnownUser => {
  const base = { id: crypto.randomUUID(), username: `rig-${i}`, role: "producer", active: true } as const;
  return { ...base, systems: SYSTEMS, token_version: 0, ...limits };
});
const minted = users.map(() => mintKey());
const keys = minted.map(({ prefix, hash }, i): KnownKey => {
  const base = { id: crypto.randomUUID(), user_id: users[i]!.id, name: "x", prefix, hash, revoked: false };
  return { ...base, scopes: ["ingest"], systems: SYSTEMS.slice(0, 10), expires_at_ms: null, ...limits };
});

async function median_us(work: (i: number) => Promise<unknown>, runs = RUNS): Promise<number> {
  for (let i = 0; i < WARM_UP; i += 1) await work(runs + i);
  const times: number[] = [];
  for (let i = 0; i < runs; i += 1) {
    const begin = performance.now();
    await work(i);
    times.push((performance.now() - begin) * 1000);
  }
  return times.sort((a, b) => a - b)[Math.floor(runs / 2)]!;
}
const show = (what: string, us: number) => console.log(`${what.padEnd(58)} ${us.toFixed(1).padStart(8)} µs`);

/** A provider on loopback, and a way to sign with each of its algorithms. */
async function provider() {
  const pairs = await Promise.all(
    OUTSIDE_ALGORITHMS.map(async (alg) => ({ alg, ...(await generateKeyPair(alg, { extractable: true })) })),
  );
  const set = await Promise.all(
    pairs.map(async ({ alg, publicKey }) => ({ ...(await exportJWK(publicKey)), alg, kid: alg })),
  );
  const server = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: () => Response.json({ keys: set }) });
  const issuer = `http://127.0.0.1:${server.port}`;
  const sign = (alg: string, sub: string) =>
    new SignJWT({ role: "producer", preferred_username: sub })
      .setProtectedHeader({ alg, kid: alg })
      .setIssuer(issuer)
      .setAudience("api")
      .setSubject(sub)
      .setExpirationTime("1h")
      .sign(pairs.find((pair) => pair.alg === alg)!.privateKey);
  return { server, issuer, sign };
}

const { server, issuer, sign } = await provider();
const register = new AccessRegister({
  store: {
    changes: async (since) => ({ at: "1", users: since ? [] : users, keys: since ? [] : keys, ended: [] }),
  },
  clock: systemClock,
  log,
});
await register.start();
const source = new JwksSource({ url: `${issuer}/keys`, clock: systemClock, log });
source.start();
const tokens = new AccessTokens(
  { secret: "x".repeat(48), algorithm: "HS256", lifetime_s: 3_600, session_s: 3_600 },
  systemClock,
);
const claims = { role_claim: "role", name_claim: "preferred_username", systems_claim: undefined };
const credentials = new Credentials({
  tokens,
  outside: new OutsideTokens({ issuer, audience: "api", ...claims }, source, systemClock),
  register,
  keyUses: { note: () => undefined },
  identities: { note: () => undefined },
  clock: systemClock,
  metrics: new Registry(),
});

const own = await Promise.all(
  users.slice(0, RUNS + WARM_UP).map(async (user) => (await tokens.issue(user)).access_token),
);
show("own token, HS256, first request", await median_us((i) => credentials.verify(own[i]!)));
show("own token, later requests", await median_us(() => credentials.verify(own[0]!)));
for (const alg of OUTSIDE_ALGORITHMS) {
  const outside = await Promise.all(
    Array.from({ length: RUNS + WARM_UP }, (_, i) => sign(alg, `${alg}-${i}`)),
  );
  show(`provider's token, ${alg}, first request`, await median_us((i) => credentials.verify(outside[i]!)));
  show(`provider's token, ${alg}, later requests`, await median_us(() => credentials.verify(outside[0]!)));
}
show("API key, first request", await median_us((i) => credentials.verify(minted[i % KNOWN]!.secret)));
show("API key, later requests", await median_us(() => credentials.verify(minted[0]!.secret)));
const forged = `${own[0]!.slice(0, -4)}AAAA`;
show("forged token", await median_us(() => credentials.verify(forged).catch(() => null)));
const mistyped = `${minted[0]!.secret.slice(0, -1)}?`;
show("mistyped key", await median_us(() => credentials.verify(mistyped).catch(() => null)));
show("a look without changes, in this process", await median_us(() => register.refresh(), 500));

await Promise.all([register.stop(), source.stop()]);
await server.stop(true);
