/** Metrics of what an API process knows of users and keys. */
import { Gauge, type Registry } from "prom-client";
import type { AccessRegister } from "./access-register.ts";

/** Registers the metrics of what a process knows of users and keys. */
export function registerMetrics(metrics: Registry, register: Pick<AccessRegister, "state">): void {
  new Gauge({
    name: "access_register_age_seconds",
    help: "Since users, keys and ended tokens were last read from the database; about a second while it answers",
    registers: [metrics],
    collect() {
      this.set(register.state.age_ms / 1000);
    },
  });
  new Gauge({
    name: "access_register_entries",
    help: "Users and API keys that this process knows",
    labelNames: ["kind"],
    registers: [metrics],
    collect() {
      this.set({ kind: "users" }, register.state.users);
      this.set({ kind: "keys" }, register.state.keys);
    },
  });
}
