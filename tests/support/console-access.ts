/** Accounts and API keys that the console's tests show. */
import type { KeyView, UserView } from "../../src/contract/access.ts";
import { ago, IDS } from "./console-fixtures.ts";

const HOUR_MS = 3_600_000;

export const USERS: readonly UserView[] = (["admin", "engineer", "reviewer", "producer"] as const).map(
  (role, index) => ({
    id: index === 0 ? IDS.admin : IDS.admin.replace(/.$/, String(index + 1)),
    username: role === "producer" ? "rig-7-gateway" : role,
    role,
    active: index !== 2,
    systems: role === "producer" ? [IDS.system] : null,
    issuer: role === "engineer" ? "https://login.example.com" : null,
    requests_per_minute: role === "producer" ? 600 : null,
    readings_per_minute: role === "producer" ? 6_000_000 : null,
    created_at: ago(2_000 * HOUR_MS),
  }),
);

const OWNER = USERS[3]!;

/** One in use, one that was never used and has no end, one that is revoked, one that ended. */
export const KEYS: readonly KeyView[] = (
  [
    [
      "Gateway of rig 7",
      ["ingest"],
      [IDS.system],
      { expires_at: ago(-720 * HOUR_MS), last_used_at: ago(4_000) },
    ],
    ["Nightly report of the maintenance planning of both halls", ["read", "write"], null, {}],
    ["Gateway that was sold", ["ingest"], null, { revoked_at: ago(50 * HOUR_MS) }],
    ["Trial", ["ingest", "read"], null, { expires_at: ago(HOUR_MS), last_used_at: ago(70 * HOUR_MS) }],
  ] as const
).map(([name, scopes, systems, times], index) => ({
  id: IDS.key.replace(/.$/, String(index + 1)),
  name,
  prefix: `hi_${"k7Qm3xPz".slice(index)}${"aB9c".slice(0, index)}`,
  user_id: OWNER.id,
  username: OWNER.username,
  scopes: [...scopes],
  systems: systems && [...systems],
  requests_per_minute: index === 0 ? 60 : null,
  readings_per_minute: null,
  created_at: ago(900 * HOUR_MS),
  expires_at: null,
  revoked_at: null,
  last_used_at: null,
  ...times,
}));
