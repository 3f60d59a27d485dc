/** An identity provider on loopback: serves its public keys, and signs whatever is asked for. */
import { exportJWK, generateKeyPair, type JWK, SignJWT } from "jose";

export const AUDIENCE = "https://hydraulic.example/api";
const KEY_PAIRS = { RS256: "RS256", ES256: "ES256", EdDSA: "EdDSA" } as const;

interface ProviderKey {
  readonly alg: string;
  readonly privateKey: CryptoKey;
  readonly jwk: JWK;
}
type Payload = Readonly<Record<string, unknown>>;

export class IdentityProvider {
  #keys = new Map<string, ProviderKey>();
  #answer: (() => Response | Promise<Response>) | null = null;
  /** Requests for the keys so far. */
  asked = 0;

  private constructor(private readonly server: ReturnType<typeof Bun.serve>) {}

  /** With a key of each algorithm, whose id is the algorithm's name. */
  static async create(): Promise<IdentityProvider> {
    let provider: IdentityProvider | undefined;
    const server = Bun.serve({
      hostname: "127.0.0.1",
      port: 0,
      fetch: () => provider?.answer() ?? new Response("too early", { status: 503 }),
    });
    provider = new IdentityProvider(server);
    for (const alg of Object.keys(KEY_PAIRS)) await provider.addKey(alg, alg);
    return provider;
  }

  get url(): string {
    return `http://127.0.0.1:${this.server.port}/keys`;
  }

  get issuer(): string {
    return `http://127.0.0.1:${this.server.port}`;
  }

  answer(): Response | Promise<Response> {
    this.asked += 1;
    return this.#answer?.() ?? Response.json({ keys: this.publicKeys });
  }

  /** Answer so from now on; null: as a provider does. */
  answerWith(answer: (() => Response | Promise<Response>) | null): void {
    this.#answer = answer;
  }

  get publicKeys(): JWK[] {
    return [...this.#keys].map(([kid, { alg, jwk }]) => ({ ...jwk, kid, alg, use: "sig" }));
  }

  async addKey(kid: string, alg: string): Promise<void> {
    const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
    this.#keys.set(kid, { alg, privateKey, jwk: await exportJWK(publicKey) });
  }

  removeKey(kid: string): void {
    this.#keys.delete(kid);
  }

  /** Claims of a good token of this person. */
  claims(more: Payload = {}): Payload {
    const iat = Math.floor(Date.now() / 1000);
    const named = { sub: "00u1", preferred_username: "anna", role: "reviewer" };
    return { iss: this.issuer, aud: AUDIENCE, iat, exp: iat + 3_600, ...named, ...more };
  }

  /** @param header replaces and adds members of the header */
  async sign(payload: Payload, kid = "RS256", header: Payload = {}): Promise<string> {
    const key = this.#keys.get(kid);
    if (!key) throw new Error(`there is no key ${kid}`);
    const all = { alg: key.alg, kid, ...header };
    return new SignJWT({ ...payload }).setProtectedHeader(all).sign(key.privateKey);
  }

  async close(): Promise<void> {
    await this.server.stop(true);
  }
}
