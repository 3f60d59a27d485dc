/**
 * The public keys of an outside identity provider (JSON Web Key Set, RFC 7517), kept in memory. Read at the start and
 * every few minutes; and when a token names a key that is not known, but not more often than a cool-down allows. While
 * the provider is away, the keys that were read last go on.
 */
import { createLocalJWKSet, errors, type JSONWebKeySet, type JWK, type JWTVerifyGetKey } from "jose";
import type { Clock } from "../../ops/clock.ts";
import type { Logger } from "../../ops/log.ts";
import { joinSignals, sleep, unlessAborted } from "../../ops/retry.ts";

const EVERY_MS = 300_000;
/** Between two looks for a key that is not known: tokens with made-up key ids must not load the provider. */
const COOL_DOWN_MS = 30_000;
/** The same while there are no keys at all. */
const COOL_DOWN_EMPTY_MS = 2_000;
const FETCH_DEADLINE_MS = 5_000;
const MAX_BYTES = 262_144;
const MAX_KEYS = 100;
/** Public keys; a shared secret in the set would let anybody sign who reads it. */
const KEY_TYPES: readonly string[] = ["RSA", "EC", "OKP"];

/** The provider's keys are not known, so nobody can say whether a token is good. Worth another try later. */
export class IdentityProviderAwayError extends Error {
  override readonly name = "IdentityProviderAwayError";
}

export interface JwksSettings {
  /** https, or http on loopback. */
  readonly url: string;
  readonly clock: Clock;
  readonly log: Logger;
  /** Told the outcome of each look. */
  readonly onLook?: (ok: boolean) => void;
  readonly every_ms?: number;
  readonly cool_down_ms?: number;
}

export class JwksSource {
  #keys: JWTVerifyGetKey | null = null;
  #text = "";
  #version = 0;
  #looked_ms = Number.NEGATIVE_INFINITY;
  #read_ms = Number.NEGATIVE_INFINITY;
  #looking: Promise<boolean> | null = null;
  readonly #closing = new AbortController();
  #polling: Promise<void> = Promise.resolve();

  constructor(private readonly settings: JwksSettings) {}

  /** Begin to read, without waiting for the provider. */
  start(): void {
    this.#polling = this.#poll();
  }

  async stop(): Promise<void> {
    this.#closing.abort();
    await this.#polling;
  }

  /** Rises when the keys are others than before: what was verified by them must be verified anew. */
  get version(): number {
    return this.#version;
  }

  /** Since the keys were last read, ms. */
  get age_ms(): number {
    return this.settings.clock.monotonic_ms() - this.#read_ms;
  }

  /**
   * The key that a token's header asks for, for jose.
   * @throws {IdentityProviderAwayError} @throws {JWKSNoMatchingKey} and what jose throws for an unusable key
   */
  readonly keyOf: JWTVerifyGetKey = async (header, token) => {
    if (this.#keys === null) {
      await this.#lookAgain(COOL_DOWN_EMPTY_MS);
      if (this.#keys === null) throw new IdentityProviderAwayError("the provider's keys could not be read");
    }
    try {
      return await this.#keys(header, token);
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey)) throw error;
      const { cool_down_ms = COOL_DOWN_MS } = this.settings;
      if (!(await this.#lookAgain(cool_down_ms))) throw error;
      return this.#keys(header, token);
    }
  };

  /** @returns whether the keys were read */
  async #lookAgain(cool_down_ms: number): Promise<boolean> {
    if (this.#looking) return this.#looking;
    if (this.settings.clock.monotonic_ms() - this.#looked_ms < cool_down_ms) return false;
    return this.#look();
  }

  #look(): Promise<boolean> {
    this.#looked_ms = this.settings.clock.monotonic_ms();
    this.#looking ??= this.#read()
      .then(
        () => true,
        (err: unknown) => {
          this.settings.log.warn(
            { err, url: this.settings.url },
            "the identity provider's keys are not read",
          );
          return false;
        },
      )
      .then((ok) => {
        this.#looking = null;
        this.settings.onLook?.(ok);
        return ok;
      });
    return this.#looking;
  }

  async #poll(): Promise<void> {
    const { signal } = this.#closing;
    const { every_ms = EVERY_MS } = this.settings;
    while (!signal.aborted) {
      await unlessAborted(this.#look(), signal);
      await sleep(every_ms, signal);
    }
  }

  async #fetch(): Promise<string> {
    const joined = joinSignals([this.#closing.signal], FETCH_DEADLINE_MS);
    const headers = { Accept: "application/jwk-set+json, application/json" };
    try {
      const response = await fetch(this.settings.url, {
        redirect: "error",
        signal: joined.signal,
        headers,
      });
      if (response.status !== 200) throw new Error(`the provider answered ${response.status}`);
      return await boundedText(response);
    } finally {
      joined.release();
    }
  }

  async #read(): Promise<void> {
    const keys = usableKeys(await this.#fetch());
    const text = JSON.stringify(keys);
    this.#read_ms = this.settings.clock.monotonic_ms();
    if (text === this.#text) return;
    this.#text = text;
    this.#keys = createLocalJWKSet({ keys });
    this.#version += 1;
  }
}

async function boundedText(response: Response): Promise<string> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of response.body ?? []) {
    size += part.byteLength;
    if (size > MAX_BYTES) throw new Error(`the key set has more than ${MAX_BYTES} bytes`);
    parts.push(part);
  }
  return new TextDecoder().decode(Buffer.concat(parts));
}

/** Public keys of the set; a set without any is no set. */
function usableKeys(text: string): JWK[] {
  const { keys } = JSON.parse(text) as Partial<JSONWebKeySet>;
  const usable = (Array.isArray(keys) ? keys : [])
    .filter((key) => typeof key === "object" && key !== null && KEY_TYPES.includes(key.kty ?? ""))
    .filter(({ d, k }) => d === undefined && k === undefined);
  if (usable.length === 0 || usable.length > MAX_KEYS) {
    throw new Error(`the key set has ${usable.length} public keys; it must have 1 to ${MAX_KEYS}`);
  }
  return usable;
}
