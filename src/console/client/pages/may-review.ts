/** Whether the visitor's role lets them act on quarantine and dead letters; the API decides in any case. */
import { session } from "../lib/api.ts";
import { useShared } from "../lib/shared.ts";

export function useMayReview(): boolean {
  const role = useShared(session)?.user.role;
  return role === "admin" || role === "reviewer";
}

export function useMayEditRanges(): boolean {
  const role = useShared(session)?.user.role;
  return role === "admin" || role === "engineer";
}
