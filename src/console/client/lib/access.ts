/** What the role of the visitor opens. The API decides in any case; here nothing is offered that it would refuse. */
import {
  ADMINS,
  READERS,
  REGISTRY_EDITORS,
  REVIEWERS,
  ROLES,
  type Role,
  WEBHOOK_USERS,
} from "../../../contract/roles.ts";
import { session } from "./api.ts";
import { useShared } from "./shared.ts";

/** Readers look after everybody's batches; producers see only their own. */
export type Group = "everybody" | "readers" | "admins" | "webhook-users";

const MEMBERS: Readonly<Record<Group, readonly Role[]>> = {
  everybody: ROLES,
  readers: READERS,
  admins: ADMINS,
  "webhook-users": WEBHOOK_USERS,
};

export const isIn = (role: Role, group: Group): boolean => MEMBERS[group].includes(role);
/** Whom a page is for, in words. */
export const groupText = (group: Group) => `${MEMBERS[group].join("s, ").replace(/, (\w+)$/, " and $1")}s`;
/** Path of the page that a role begins with. */
export const homeOf = (role: Role) => (isIn(role, "readers") ? "/" : "/jobs");

const useIsOneOf = (roles: readonly Role[]) => {
  const role = useShared(session)?.user.role;
  return role !== undefined && roles.includes(role);
};

/** Quarantine, dead letters, alerts and workers are shown to readers. */
export const useIsReader = () => useIsOneOf(READERS);
/** Decisions about the quarantine and dead letters. */
export const useMayReview = () => useIsOneOf(REVIEWERS);
/** Whose webhooks may be about everybody's batches. */
export const useIsAdmin = () => useIsOneOf(ADMINS);
/** Ranges of sensors, and which sensors names mean. */
export const useMayEditRegistry = () => useIsOneOf(REGISTRY_EDITORS);
