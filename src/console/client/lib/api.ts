/** Calls of the API. The session cookie goes along by itself; after an answer of 401 the visitor is asked to sign in. */

import type { ProblemDetails } from "../../../contract/problem.ts";
import type { Session } from "../../../contract/session.ts";
import { Shared } from "./shared.ts";

/** Undefined until it is known whether somebody is signed in. */
export const session = new Shared<Session | null | undefined>(undefined);

/**
 * The session ended while somebody worked: what they see and have typed waits until they sign in again. Without
 * anybody at work `session` is null instead.
 */
export const sessionOver = new Shared(false);

/** Longer, and whoever wants to sign in would wait for it. */
const RENEW_DEADLINE_MS = 10_000;

/** Other tabs of this browser: they share the cookie, so they share who is signed in. */
const tabs = new BroadcastChannel("hydraulic-session");
type TabNews = "signed-in" | "signed-out";
tabs.onmessage = ({ data }: MessageEvent<TabNews>) => {
  if (data === "signed-out") forget();
  else void loadSession();
};

/** Why it is not known yet: the service is away, which ends no session. */
export const sessionTrouble = new Shared<Problem | null>(null);

/** What went wrong, as people are told. */
export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly title: string,
    readonly detail: string,
    readonly request_id: string | null,
    /** Everything that the answer said. */
    readonly body: Partial<ProblemDetails> & Readonly<Record<string, unknown>>,
  ) {
    super(`${title}: ${detail}`);
  }

  get name_of_type(): string {
    return (this.body.type ?? "").replace(/^.*\/problems\//, "");
  }
}

interface CallOptions {
  readonly method?: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

export interface Answer<T> {
  readonly data: T;
  readonly headers: Headers;
}

/** @throws {Problem} @throws {DOMException} AbortError when the signal says so */
export async function call<T>(path: string, options: CallOptions = {}): Promise<Answer<T>> {
  const { method = "GET", body, headers = {}, signal } = options;
  const response = await fetch(path, {
    method,
    headers: {
      Accept: "application/json",
      ...(body === undefined ? {} : { "Content-Type": "application/json" }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    ...(signal ? { signal } : {}),
  }).catch((error: unknown) => {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new Problem(0, "The service does not answer", "Check the connection, then try again.", null, {});
  });
  if (!response.ok) throw await problemOf(response);
  const text = response.status === 204 ? "null" : await response.text();
  return { data: JSON.parse(text || "null") as T, headers: response.headers };
}

/** The data alone. */
export const get = async <T>(path: string, signal?: AbortSignal): Promise<T> =>
  (await call<T>(path, signal ? { signal } : {})).data;

export const post = async <T>(path: string, body: unknown): Promise<T> =>
  (await call<T>(path, { method: "POST", body })).data;

async function problemOf(response: Response): Promise<Problem> {
  const body = (await response.json().catch(() => ({}))) as Partial<ProblemDetails>;
  if (response.status === 401) {
    if (session.value) sessionOver.set(true);
    else session.set(null);
  }
  return new Problem(
    response.status,
    body.title ?? `The service answered ${response.status}`,
    body.detail ?? response.statusText,
    response.headers.get("X-Request-Id"),
    body as Problem["body"],
  );
}

/** Asks who is signed in; what is known stays when the service does not say. Throws nothing. */
export async function loadSession(): Promise<void> {
  try {
    await begin();
    sessionTrouble.set(null);
  } catch (error) {
    // A 401 has ended the session already.
    if (error instanceof Problem) sessionTrouble.set(error.status === 401 ? null : error);
    else throw error;
  }
}

/**
 * What changes the cookie comes in turn, in all tabs, or the answer to one visitor would take the place of another's.
 * Browsers have locks where they trust the connection.
 */
const inTurn = <T>(work: () => Promise<T>): Promise<T> =>
  "locks" in navigator ? navigator.locks.request("hydraulic-session", work) : work();

/** The session as it is after it was renewed, if it was time. @throws {Problem} */
export const renewSession = (): Promise<Session> =>
  inTurn(async () => {
    const signal = AbortSignal.timeout(RENEW_DEADLINE_MS);
    return (await call<Session>("/api/v1/auth/session/renew", { method: "POST", signal })).data;
  });

/** @throws {Problem} */
export async function signIn(username: string, password: string): Promise<void> {
  await inTurn(() => post("/api/v1/auth/session", { username, password }));
  await begin();
  tellTabs("signed-in");
}

async function begin(): Promise<void> {
  session.set(await get<Session>("/api/v1/auth/session"));
  sessionOver.set(false);
}

/** The session has ended as the visitor wished: nothing of it stays in sight, in no tab. */
export function leave(): void {
  forget();
  tellTabs("signed-out");
}

function forget(): void {
  session.set(null);
  sessionOver.set(false);
}

const tellTabs = (news: TabNews) => tabs.postMessage(news);

/** Ends the session; only when the service says that it is over does the page say so too. @throws {Problem} */
export async function signOut(): Promise<void> {
  try {
    await inTurn(() => call("/api/v1/auth/session", { method: "DELETE" }));
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    if (error.status !== 401) throw stillSignedIn(error);
  }
  leave();
}

const stillSignedIn = ({ status, title, detail, request_id, body }: Problem) =>
  new Problem(status, "Signing out failed: you are still signed in", `${title}. ${detail}`, request_id, body);
