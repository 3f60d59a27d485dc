/** The routes of logging in and out, accounts and keys. All ways to show a password share one throttle. */
import type { App } from "../app-env.ts";
import { PasswordGate } from "../auth/password-gate.ts";
import type { RouteDeps } from "../deps.ts";
import { mountKey } from "./key.ts";
import { mountKeys } from "./keys.ts";
import { mountLogin } from "./login.ts";
import { loginOf } from "./login-access.ts";
import { mountLogout } from "./logout.ts";
import { mountOwnPassword } from "./own-password.ts";
import { mountSession } from "./session.ts";
import { mountUser } from "./user.ts";
import { mountUsers } from "./users.ts";

export function mountAccess(app: App, deps: RouteDeps): void {
  const gate = new PasswordGate(deps);
  const logIn = loginOf(deps, gate);
  mountLogin(app, logIn);
  mountSession(app, deps, logIn);
  mountLogout(app, deps);
  mountOwnPassword(app, deps, gate);
  mountUsers(app, deps);
  mountUser(app, deps);
  mountKeys(app, deps);
  mountKey(app, deps);
}
