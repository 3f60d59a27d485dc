/** Wires what an API process knows of users, keys and ended tokens. */
import { AccessRegister } from "../api/auth/access-register.ts";
import { systemClock } from "../ops/clock.ts";
import { AccessStore } from "../store/access.ts";
import type { Wiring } from "./start.ts";

/** Who may is known before the first request comes. */
export async function openRegister({ database, log, stopping }: Wiring) {
  const accessStore = new AccessStore(database);
  const register = new AccessRegister({ store: accessStore, clock: systemClock, log });
  await register.start();
  stopping.last("register of users", () => register.stop());
  return { accessStore, register };
}
