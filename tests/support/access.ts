/** Waiting for changes of accounts and keys, and accounts made over HTTP. */
import { expect } from "bun:test";
import type { NewUserBody, UserView } from "../../src/contract/access.ts";
import type { TestApi } from "./api.ts";
import { bodyOf } from "./registry.ts";
import { until } from "./until.ts";

/** The product promises 5 s, on a machine that is not busy with other things. A change that never comes is later, ms. */
export const EVERYWHERE_MS = 30_000;
export const PASSWORD = "correct horse battery";

/** Status of a request that every role may send. */
export async function statusOf(api: TestApi, credential: string): Promise<number> {
  return (await api.call(credential, "GET", "/api/v1/auth/session")).status;
}

/** Every API refuses the credential soon, and goes on refusing it. */
export async function refusedEverywhere(apis: readonly TestApi[], credential: string): Promise<void> {
  for (const api of apis) {
    await until("it is refused", async () => (await statusOf(api, credential)) === 401, EVERYWHERE_MS);
  }
  for (const api of apis) expect(await statusOf(api, credential)).toBe(401);
}

/** An account made by an admin. */
export async function newUser(
  api: TestApi,
  admin: string,
  given: Partial<NewUserBody> = {},
): Promise<UserView> {
  const username = `user ${crypto.randomUUID().slice(0, 13)}`;
  const body = { username, password: PASSWORD, role: "producer", ...given };
  return bodyOf<UserView>(await api.call(admin, "POST", "/api/v1/users", body), 201);
}

/** A token for an account, by its password. */
export async function loggedIn(api: TestApi, username: string, password = PASSWORD): Promise<string> {
  const { access_token } = await bodyOf<{ access_token: string }>(await api.login(username, password));
  return access_token;
}
