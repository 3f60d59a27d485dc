/** Wires what an API process knows of users, keys and ended tokens. */
import { AccessRegister } from "../api/auth/access-register.ts";
import { KeyUses } from "../api/auth/key-uses.ts";
import { systemClock } from "../ops/clock.ts";
import { AccessStore } from "../store/access.ts";
import { ApiKeyStore } from "../store/api-keys.ts";
import type { Wiring } from "./start.ts";

/** Who may is known before the first request comes. */
export async function openRegister({ database, log, stopping }: Wiring) {
  const accessStore = new AccessStore(database);
  const register = new AccessRegister({ store: accessStore, clock: systemClock, log });
  await register.start();
  stopping.last("register of users", () => register.stop());
  const keyUses = new KeyUses(accessStore, systemClock, log);
  keyUses.start();
  stopping.last("last use of keys", () => keyUses.stop());
  return { accessStore, register, keyUses, apiKeys: new ApiKeyStore(database) };
}
