/** Tokens of a service that runs already. */
import { UsageError } from "../command-line.ts";

interface User {
  readonly username: string;
  readonly password: string;
}

/** @throws {UsageError} when nobody answers, or the service refuses the user */
export async function login(url: string, user: User): Promise<string> {
  const answer = await asked(`${url}/api/v1/auth/login`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(user),
  });
  if (!answer.ok) throw new UsageError(`login of ${user.username}: ${answer.status} ${await answer.text()}`);
  return ((await answer.json()) as { access_token: string }).access_token;
}

/**
 * Whether a token opens what those see who look after everybody's batches.
 * @throws {UsageError} when nobody answers, or the token is not one
 */
export async function mayRead(url: string, token: string): Promise<boolean> {
  const { status } = await asked(`${url}/api/v1/overview`, { headers: { Authorization: `Bearer ${token}` } });
  if (status === 401) throw new UsageError(`${url} does not know the token`);
  return status === 200;
}

async function asked(url: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(url, init);
  } catch (error) {
    throw new UsageError(`${url}: no answer (${(error as Error).message})`);
  }
}
