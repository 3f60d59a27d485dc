/** Examples of accounts and keys. */
import { DEMO_SYSTEM_ID } from "../../contract/demo.ts";

const AT = "2025-11-07T22:50:02.000Z";
export const USER_ID_EXAMPLE = "0199a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a10";

export const NEW_USER_EXAMPLE = {
  username: "rig-7",
  password: "correct horse battery",
  role: "producer",
  systems: [DEMO_SYSTEM_ID],
  readings_per_minute: 600_000,
};
export const USER_CHANGE_EXAMPLE = { active: false, note: "Left the company" };
export const USER_EXAMPLE = {
  id: USER_ID_EXAMPLE,
  username: "rig-7",
  role: "producer",
  active: true,
  systems: [DEMO_SYSTEM_ID],
  requests_per_minute: null,
  readings_per_minute: 600_000,
  issuer: null,
  created_at: AT,
};
export const USER_PAGE_EXAMPLE = { items: [USER_EXAMPLE], next: null };

export const NEW_KEY_EXAMPLE = {
  name: "Press 2, logger",
  scopes: ["ingest"],
  systems: [DEMO_SYSTEM_ID],
  expires_at: null,
};
export const KEY_CHANGE_EXAMPLE = { name: "Press 2, logger in the cabinet" };
export const ROTATE_KEY_EXAMPLE = { overlap_s: 86_400 };
export const KEY_EXAMPLE = {
  id: "0199a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a30",
  name: NEW_KEY_EXAMPLE.name,
  prefix: "hi_Ab3dEf9h",
  user_id: USER_ID_EXAMPLE,
  username: USER_EXAMPLE.username,
  scopes: NEW_KEY_EXAMPLE.scopes,
  systems: NEW_KEY_EXAMPLE.systems,
  requests_per_minute: null,
  readings_per_minute: null,
  created_at: AT,
  expires_at: null,
  revoked_at: null,
  last_used_at: null,
};
export const KEY_PAGE_EXAMPLE = { items: [KEY_EXAMPLE], next: null };
export const KEY_WITH_SECRET_EXAMPLE = {
  key: KEY_EXAMPLE,
  // Not a key: the checksum does not fit.
  secret: `${KEY_EXAMPLE.prefix}_…`,
};
