/** Examples of accounts and keys. */
import { DEMO_SYSTEM_ID } from "./examples.ts";

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
