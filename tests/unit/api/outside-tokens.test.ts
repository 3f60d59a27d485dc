/** Tokens of an outside provider: which are believed, every way to forge one, and what happens when it is away. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { exportSPKI, generateKeyPair, importJWK, SignJWT, UnsecuredJWT } from "jose";
import { type CredentialFailure, InvalidCredentialError } from "../../../src/api/auth/invalid-credential.ts";
import { IdentityProviderAwayError, JwksSource } from "../../../src/api/auth/jwks-source.ts";
import { OutsideTokens, outsideId } from "../../../src/api/auth/outside-tokens.ts";
import { systemClock } from "../../../src/ops/clock.ts";
import { createLogger } from "../../../src/ops/log.ts";
import { AUDIENCE, IdentityProvider } from "../../support/identity-provider.ts";
import { ManualClock } from "../../support/manual-clock.ts";
import { until } from "../../support/until.ts";

let provider: IdentityProvider;
const sources: JwksSource[] = [];
beforeAll(async () => {
  provider = await IdentityProvider.create();
});
afterEach(async () => {
  provider.answerWith(null);
  for (const source of sources.splice(0)) await source.stop();
});
afterAll(() => provider.close());

const quiet = createLogger({ level: "error", format: "json" }, {
  write: () => true,
} as unknown as NodeJS.WritableStream);
function setUp(
  options: {
    cool_down_ms?: number;
    every_ms?: number;
    systems_claim?: string;
    role_claim?: string;
    clock?: ManualClock;
  } = {},
) {
  const { cool_down_ms = 0, every_ms = 3_600_000, clock, ...claims } = options;
  const keys = new JwksSource({ url: provider.url, clock: systemClock, log: quiet, cool_down_ms, every_ms });
  sources.push(keys);
  const settings = {
    issuer: provider.issuer,
    audience: AUDIENCE,
    role_claim: "role",
    name_claim: "preferred_username",
    systems_claim: undefined,
    ...claims,
  };
  return { keys, tokens: new OutsideTokens(settings, keys, clock ?? systemClock) };
}
async function failureOf(work: Promise<unknown>): Promise<CredentialFailure> {
  const error = await work.then(
    () => new Error("the token was believed"),
    (e: unknown) => e,
  );
  expect(error).toBeInstanceOf(InvalidCredentialError);
  return (error as InvalidCredentialError).kind;
}
const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");

describe("a token of the provider", () => {
  test.each(["RS256", "ES256", "EdDSA"])("that is signed with %s is believed", async (kid) => {
    const { tokens } = setUp();
    const claims = provider.claims();
    expect(await tokens.verify(await provider.sign(claims, kid))).toMatchObject({
      identity: {
        id: outsideId(provider.issuer, "00u1"),
        issuer: provider.issuer,
        subject: "00u1",
        username: `anna (${new URL(provider.issuer).host})`,
        role: "reviewer",
      },
      systems: null,
    });
  });

  test("is of the same user for ever, and of another for another subject or issuer", () => {
    expect(outsideId("https://a.example", "1")).toBe(outsideId("https://a.example", "1"));
    const ids = [
      outsideId("https://a.example", "1"),
      outsideId("https://a.example", "2"),
      outsideId("https://b.example", "1"),
    ];
    expect(new Set(ids).size).toBe(3);
    // Another program must come to the same: UUIDv5 of the URL namespace.
    expect(outsideId("https://idp.example", "00u1")).toBe("d8d9a838-6b13-5aee-802e-0d4892e0c2dd");
  });

  test("ends with a tolerance of half a minute for clocks that differ", async () => {
    const clock = new ManualClock(Date.now());
    const { tokens } = setUp({ clock });
    const exp = Math.floor(clock.time_ms / 1000) + 60;
    const token = await provider.sign(provider.claims({ exp }));
    expect((await tokens.verify(token)).exp).toBe(exp + 30);
    clock.time_ms = (exp + 29) * 1000;
    expect((await tokens.verify(token)).exp).toBe(exp + 30);
    clock.time_ms = (exp + 31) * 1000;
    expect(await failureOf(tokens.verify(token))).toBe("expired");
  });

  test("ends at the last second of the calendar at the latest", async () => {
    const { tokens } = setUp();
    const token = await provider.sign(provider.claims({ exp: 1e15 }));
    const { exp } = await tokens.verify(token);
    expect(new Date(exp * 1000).toISOString()).toBe("9999-12-31T23:59:59.000Z");
  });

  test.each([["a\0b"], ["\ud800"], ["a".repeat(256)], [""], [7], [undefined]])(
    "has a subject that can be written down, which %j is not",
    async (sub) => {
      const { tokens } = setUp();
      expect(await failureOf(tokens.verify(await provider.sign(provider.claims({ sub }))))).toBe("forged");
    },
  );

  test.each([
    ["a text", "engineer", "engineer"],
    ["a list, of which the strongest counts", ["offline_access", "producer", "engineer"], "engineer"],
    ["words between blanks", "openid producer", "producer"],
  ])("has its role in %s", async (_, role, expected) => {
    const { tokens } = setUp();
    expect((await tokens.verify(await provider.sign(provider.claims({ role })))).identity.role).toBe(
      expected as "engineer",
    );
  });

  test.each([[undefined], [null], [""], ["root"], [["offline_access"]], [7], [{ admin: true }], ["Admin"]])(
    "without a role of ours (%j) may do nothing",
    async (role) => {
      const { tokens } = setUp();
      expect(await failureOf(tokens.verify(await provider.sign(provider.claims({ role }))))).toBe("no_role");
    },
  );

  test.each([
    ["realm_access.roles", { realm_access: { roles: ["admin"] } }],
    ["https://hydraulic.example/role", { "https://hydraulic.example/role": "admin" }],
  ])("may have its role in %s", async (role_claim, more) => {
    const { tokens } = setUp({ role_claim });
    const token = await provider.sign({ ...provider.claims({ role: "producer" }), ...more });
    expect((await tokens.verify(token)).identity.role).toBe("admin");
  });

  test("gets nothing from a path that leads through what every object has", async () => {
    const { tokens } = setUp({ role_claim: "constructor.name" });
    expect(await failureOf(tokens.verify(await provider.sign(provider.claims())))).toBe("no_role");
  });

  test.each([
    [["550E8400-e29b-41d4-a716-446655440000", "no id"], ["550e8400-e29b-41d4-a716-446655440000"]],
    ["550e8400-e29b-41d4-a716-446655440000", ["550e8400-e29b-41d4-a716-446655440000"]],
    ["*", null],
    [["*"], null],
    [undefined, []],
    [null, []],
    [7, []],
    [[], []],
  ])("limits systems by the claim %j to %j", async (systems, expected) => {
    const { tokens } = setUp({ systems_claim: "systems" });
    expect((await tokens.verify(await provider.sign(provider.claims({ systems })))).systems).toEqual(
      expected,
    );
  });

  test("has a name without control characters, cut, and the subject where there is none", async () => {
    const { tokens } = setUp();
    const nameOf = async (preferred_username: unknown) =>
      (await tokens.verify(await provider.sign(provider.claims({ preferred_username })))).identity.username;
    const host = new URL(provider.issuer).host;
    expect(await nameOf("a\u0000b\nc")).toBe(`a b c (${host})`);
    expect(await nameOf("x".repeat(500))).toBe(`${"x".repeat(150)} (${host})`);
    expect(await nameOf(7)).toBe(`00u1 (${host})`);
    expect(await nameOf(" ")).toBe(`00u1 (${host})`);
  });
});

describe("a forgery is refused:", () => {
  type Forge = () => Promise<string> | string;
  const hmac = (key: string, kid = "RS256") =>
    new SignJWT({ ...provider.claims() })
      .setProtectedHeader({ alg: "HS256", kid })
      .sign(new TextEncoder().encode(key));
  const publicPem = async (kid: string, alg: string) =>
    exportSPKI(
      (await importJWK(provider.publicKeys.find((key) => key.kid === kid)!, alg, {
        extractable: true,
      })) as CryptoKey,
    );
  const ownKey = async (header: object, alg = "RS256") => {
    const { privateKey } = await generateKeyPair(alg);
    return new SignJWT({ ...provider.claims({ role: "admin" }) })
      .setProtectedHeader({ alg, ...header })
      .sign(privateKey);
  };
  const FORGERIES: [string, Forge][] = [
    ["alg none", () => new UnsecuredJWT({ ...provider.claims() }).encode()],
    [
      "alg none with a kid of the provider",
      () => `${encode({ alg: "none", kid: "RS256" })}.${encode(provider.claims())}.`,
    ],
    ["the public RSA key as shared secret, PEM", async () => hmac(await publicPem("RS256", "RS256"))],
    ["the public RSA key as shared secret, JWK", () => hmac(JSON.stringify(provider.publicKeys[0]))],
    ["the modulus as shared secret", () => hmac(provider.publicKeys[0]!.n!)],
    ["the kid of an RSA key with ES256", () => ownKey({ kid: "RS256" }, "ES256")],
    ["a key of one's own under the kid of the provider", () => ownKey({ kid: "RS256" })],
    ["a kid that nobody knows", () => ownKey({ kid: "mine" })],
    ["a kid that is a path", () => ownKey({ kid: "../../../../dev/null" })],
    ["a kid that is SQL", () => ownKey({ kid: "x' UNION SELECT 'key" })],
    ["a kid that is no text", async () => ownKey({ kid: 7 as unknown as string })],
    ["no kid", () => ownKey({})],
    [
      "an address of keys in the header (jku)",
      () => ownKey({ kid: "RS256", jku: "http://127.0.0.1:1/keys" }),
    ],
    ["a certificate in the header (x5c)", () => ownKey({ kid: "RS256", x5c: ["MIIB"] })],
    [
      "a public key in the header (jwk)",
      async () => {
        const { publicKey } = await generateKeyPair("RS256", { extractable: true });
        return ownKey({
          kid: "RS256",
          jwk: JSON.parse(JSON.stringify(await crypto.subtle.exportKey("jwk", publicKey))),
        });
      },
    ],
    [
      "a critical extension",
      async () =>
        `${encode({ alg: "RS256", kid: "RS256", crit: ["b64"], b64: false })}.${encode(provider.claims())}.AAAA`,
    ],
    ["PS256, which is not on the list", async () => provider.sign(provider.claims(), "PS256")],
    ["another audience", () => provider.sign(provider.claims({ aud: "another-api" }))],
    ["no audience", () => provider.sign(provider.claims({ aud: undefined }))],
    ["another issuer", () => provider.sign(provider.claims({ iss: "https://evil.example" }))],
    ["no issuer", () => provider.sign(provider.claims({ iss: undefined }))],
    ["no expiry", () => provider.sign(provider.claims({ exp: undefined }))],
    ["no subject", () => provider.sign(provider.claims({ sub: undefined }))],
    ["an empty subject", () => provider.sign(provider.claims({ sub: "" }))],
    [
      "a beginning an hour ahead",
      () => provider.sign(provider.claims({ nbf: Math.floor(Date.now() / 1000) + 3_600 })),
    ],
    [
      "another role in a genuine token",
      async () => {
        const [head, , signature] = (await provider.sign(provider.claims())).split(".");
        return `${head}.${encode(provider.claims({ role: "admin" }))}.${signature}`;
      },
    ],
    [
      "another header on a genuine signature",
      async () => {
        const [, body, signature] = (await provider.sign(provider.claims())).split(".");
        return `${encode({ alg: "RS256", kid: "RS256", typ: "x" })}.${body}.${signature}`;
      },
    ],
    [
      "a signature that is missing",
      async () => (await provider.sign(provider.claims())).replace(/[^.]+$/, ""),
    ],
    [
      "a signature of an ECDSA token as zeros",
      async () => (await provider.sign(provider.claims(), "ES256")).replace(/[^.]+$/, "A".repeat(86)),
    ],
    ["text", () => "hello"],
  ];
  test.each(FORGERIES)("%s", async (_, forge) => {
    await provider.addKey("PS256", "PS256");
    const { tokens } = setUp();
    expect(await failureOf(tokens.verify(await forge()))).toBe("forged");
  });

  test("an expired one is told apart", async () => {
    const { tokens } = setUp();
    const exp = Math.floor(Date.now() / 1000) - 60;
    expect(await failureOf(tokens.verify(await provider.sign(provider.claims({ exp }))))).toBe("expired");
  });

  test("a shared secret in the key set is not taken as a key", async () => {
    const oct = {
      kty: "oct",
      kid: "RS256",
      alg: "HS256",
      k: Buffer.from("x".repeat(32)).toString("base64url"),
    };
    provider.answerWith(() => Response.json({ keys: [oct] }));
    const { tokens } = setUp();
    const error = await tokens.verify(await provider.sign(provider.claims())).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(IdentityProviderAwayError);
  });
});

describe("the provider's keys", () => {
  test("are read again for a key that is not known, but only after the cool-down, however many tokens name it", async () => {
    const { tokens, keys } = setUp({ cool_down_ms: 60_000 });
    await tokens.verify(await provider.sign(provider.claims()));
    const before = provider.asked;
    await provider.addKey("new", "ES256");
    const fresh = await provider.sign(provider.claims(), "new");
    const refused = await Promise.all(Array.from({ length: 50 }, () => failureOf(tokens.verify(fresh))));
    expect(new Set(refused)).toEqual(new Set(["forged"]));
    expect(provider.asked).toBe(before);
    expect(keys.version).toBe(1);
    const patient = setUp({ cool_down_ms: 0 });
    await patient.tokens.verify(await provider.sign(provider.claims()));
    provider.removeKey("new");
    await provider.addKey("newer", "ES256");
    const newer = await provider.sign(provider.claims(), "newer");
    const asked = provider.asked;
    const believed = await Promise.all(Array.from({ length: 20 }, () => patient.tokens.verify(newer)));
    expect(believed).toHaveLength(20);
    expect(provider.asked).toBe(asked + 1);
    provider.removeKey("newer");
  });

  test("go on while the provider is away, and are read again when it is back", async () => {
    const { tokens, keys } = setUp({ every_ms: 20, cool_down_ms: 0 });
    keys.start();
    const token = await provider.sign(provider.claims());
    await until("the keys are read", () => keys.version === 1);
    for (const away of [
      () => new Response("no", { status: 503 }),
      () => Response.json({ keys: [] }),
      () => Response.json({}),
      () => new Response("<html>", { headers: { "Content-Type": "text/html" } }),
      () => new Response(`{"keys":[${"1,".repeat(200_000)}1]}`),
      () => Response.redirect(provider.url, 302),
    ]) {
      provider.answerWith(away);
      const asked = provider.asked;
      await until("it was asked again", () => provider.asked > asked + 1);
      expect((await tokens.verify(token)).identity.subject).toBe("00u1");
      expect(keys.version).toBe(1);
    }
    await provider.addKey("back", "EdDSA");
    provider.answerWith(null);
    await until("the keys are read again", () => keys.version === 2);
    provider.removeKey("back");
  });

  test("that are withdrawn end with the next look", async () => {
    await provider.addKey("leaked", "ES256");
    const { tokens, keys } = setUp({ every_ms: 20 });
    keys.start();
    await until("the keys are read", () => keys.version === 1);
    const token = await provider.sign(provider.claims(), "leaked");
    expect((await tokens.verify(token)).identity.subject).toBe("00u1");
    provider.removeKey("leaked");
    await until("they are others", () => keys.version === 2);
    expect(await failureOf(tokens.verify(token))).toBe("forged");
  });

  test("that were never read are no reason to call a token forged", async () => {
    provider.answerWith(() => new Response("no", { status: 503 }));
    const { tokens } = setUp();
    const error = await tokens.verify(await provider.sign(provider.claims())).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(IdentityProviderAwayError);
  });
});
