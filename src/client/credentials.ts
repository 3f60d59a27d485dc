/** Who the client is to the service: the headers of each request, renewed when they must be. */
import { readProblem, readToken } from "./answers.ts";
import { LoginRefusedError, OptionsError, RequestRefusedError, StoppedError } from "./errors.ts";
import type { Answer, Outgoing } from "./exchange.ts";

/** One of: a token (or a function that gets one), a device's API key, or a user's name and password. */
export type Auth =
  | ({ readonly token: string | (() => string | Promise<string>) } & Without<
      "apiKey" | "username" | "password"
    >)
  | ({ readonly apiKey: string } & Without<"token" | "username" | "password">)
  | ({ readonly username: string; readonly password: string } & Without<"token" | "apiKey">);
type Without<Key extends string> = { readonly [key in Key]?: never };

export interface Credentials {
  /** The headers of a request now. @param refused what the service has just answered with 401, never given again */
  headers(signal?: AbortSignal, refused?: CredentialHeaders): Promise<CredentialHeaders>;
  /** Whether other headers can be had after a 401. */
  readonly renewable: boolean;
}
export type CredentialHeaders = Readonly<Record<string, string>>;

/** How credentials log in. */
export interface LoginWire {
  readonly base_url: string;
  readonly monotonic_ms: () => number;
  readonly exchange: (outgoing: Outgoing) => Promise<Answer>;
}

/** @throws {OptionsError} when it is none of the three, or more than one of them */
export function credentialsOf(auth: Auth, wire: LoginWire): Credentials {
  const given = auth as Partial<Record<"token" | "apiKey" | "username" | "password", unknown>>;
  const ways = [given.token, given.apiKey, given.username].filter((way) => way !== undefined);
  if (ways.length !== 1) {
    throw new OptionsError("auth must be one of {token}, {apiKey} and {username, password}");
  }
  if (auth.username !== undefined) {
    requireText("auth.username", auth.username);
    requireText("auth.password", auth.password);
    return new UserLogin(auth.username, auth.password, wire);
  }
  if (auth.apiKey !== undefined) return fixed(requireText("auth.apiKey", auth.apiKey));
  if (typeof auth.token !== "function") return fixed(requireText("auth.token", auth.token));
  const { token } = auth;
  return { renewable: true, headers: async () => bearer(await token()) };
}

function requireText(name: string, value: unknown): string {
  // A line break would make a second header of it.
  if (typeof value === "string" && value !== "" && (name === "auth.password" || !/[\r\n]/.test(value)))
    return value;
  throw new OptionsError(`${name} must be a text that is not empty, in one line`);
}

function fixed(secret: string): Credentials {
  const headers = bearer(secret);
  return { renewable: false, headers: async () => headers };
}

function bearer(secret: string): CredentialHeaders {
  return { Authorization: `Bearer ${secret}` };
}

/** A token is renewed when this share of its life is left, at most a minute. */
const RENEW_AT_SHARE = 0.1;
const RENEW_AT_MAX_MS = 60_000;

interface Token {
  readonly headers: CredentialHeaders;
  readonly renew_at_ms: number;
}

/** Logs in when a token is needed; requests that need one at the same time share one login. */
class UserLogin implements Credentials {
  readonly renewable = true;
  #token: Promise<Token> | null = null;

  constructor(
    private readonly username: string,
    private readonly password: string,
    private readonly wire: LoginWire,
  ) {}

  /** @throws {LoginRefusedError} {RequestRefusedError} {RetriesExhaustedError} {StoppedError} */
  async headers(signal?: AbortSignal, refused?: CredentialHeaders): Promise<CredentialHeaders> {
    for (;;) {
      const login = this.#token ?? this.#renew(signal);
      try {
        const token = await login;
        if (token.headers !== refused && this.wire.monotonic_ms() < token.renew_at_ms) return token.headers;
        if (this.#token === login) this.#token = null;
      } catch (error) {
        // Somebody else's signal may have ended the login that was shared: then log in anew.
        if (!(error instanceof StoppedError) || signal?.aborted) throw error;
      }
    }
  }

  #renew(signal: AbortSignal | undefined): Promise<Token> {
    const login = this.#login(signal);
    this.#token = login;
    login.catch(() => {
      if (this.#token === login) this.#token = null;
    });
    return login;
  }

  async #login(signal: AbortSignal | undefined): Promise<Token> {
    const { username, password, wire } = this;
    const what = `the login of "${username}"`;
    const answer = await wire.exchange({
      method: "POST",
      url: `${wire.base_url}/api/v1/auth/login`,
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ username, password }),
      what,
      signal,
    });
    if (answer.status === 401 || answer.status === 403) throw new LoginRefusedError(username, answer.status);
    if (answer.status !== 200) {
      throw new RequestRefusedError(what, answer.status, readProblem(answer.text));
    }
    const { access_token, expires_in } = readToken(answer.text, what);
    const life_ms = expires_in * 1000;
    const margin_ms = Math.min(RENEW_AT_MAX_MS, life_ms * RENEW_AT_SHARE);
    return { headers: bearer(access_token), renew_at_ms: wire.monotonic_ms() + life_ms - margin_ms };
  }
}
