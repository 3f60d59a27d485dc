/**
 * Keeps the session of whoever works, and of a display on a wall: while a tab is in sight the session is renewed, up to
 * its longest life. A tab that nobody sees renews nothing, so a session that is left alone ends with its token.
 */
import type { Session } from "../../../contract/session.ts";
import { loadSession, Problem, renewSession, session, sessionOver } from "./api.ts";

/** Between two looks whether it is time, and after a service that was away, ms. */
const LOOK_MS = 5_000;

/** Of `performance.now()`; infinite while there is nothing to renew. */
let due_ms = Number.POSITIVE_INFINITY;
let isRenewing = false;

/** The second half of the token's life has begun then. By the service's clock: the visitor's may be wrong. */
function plan({ expires_in, renewable_until }: Session): void {
  // A process of the version before, beside this one, says neither (decision 17).
  const isRenewable = typeof expires_in === "number" && typeof renewable_until === "string";
  due_ms = isRenewable ? performance.now() + Math.max(LOOK_MS, expires_in * 500) : Number.POSITIVE_INFINITY;
}

async function renew(): Promise<void> {
  const visitor = session.value?.user.id;
  try {
    const renewed = await renewSession();
    plan(renewed);
    // Another tab has signed in as somebody else meanwhile.
    if (renewed.user.id !== visitor) await loadSession();
  } catch (error) {
    // An answer of 401 has ended the session already; a service that is away is asked again.
    if (!(error instanceof Problem)) throw error;
    due_ms = performance.now() + LOOK_MS;
  }
}

async function look(): Promise<void> {
  const isWanted = document.visibilityState === "visible" && !sessionOver.value && session.value;
  if (!isWanted || isRenewing || performance.now() < due_ms) return;
  isRenewing = true;
  await renew().finally(() => {
    isRenewing = false;
  });
}

/** Begins it, for as long as the page is open. */
export function keepSession(): void {
  session.listen(() => {
    if (session.value) plan(session.value);
  });
  setInterval(() => void look(), LOOK_MS);
  document.addEventListener("visibilitychange", () => void look());
}
