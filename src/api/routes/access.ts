/** The routes that log people and programs in. Both ways share one throttle. */
import type { App, RouteDeps } from "../deps.ts";
import { mountLogin } from "./login.ts";
import { loginOf } from "./login-access.ts";
import { mountSession } from "./session.ts";

export function mountAccess(app: App, deps: RouteDeps): void {
  const logIn = loginOf(deps);
  mountLogin(app, logIn);
  mountSession(app, deps, logIn);
}
