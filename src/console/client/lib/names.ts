/** Names of systems by id, asked for once: lists show names where the API gives ids. */

import { useEffect } from "preact/hooks";
import type { System } from "../../../contract/registry.ts";
import type { Page } from "../types.ts";
import { get, session } from "./api.ts";
import { shortId } from "./format.ts";
import { Shared, useShared } from "./shared.ts";

const STALE_MS = 60_000;
const systems = new Shared<readonly System[]>([]);
let asked_ms = Number.NEGATIVE_INFINITY;
/** Whose names they are: the next visitor of this page may reach others. */
let asker: string | undefined;

export function useSystemList(): readonly System[] {
  const visitor = useShared(session)?.user.id;
  useEffect(() => {
    if (visitor === undefined) return;
    if (asker !== visitor) systems.set([]);
    else if (performance.now() - asked_ms < STALE_MS) return;
    asker = visitor;
    asked_ms = performance.now();
    // Names are a convenience: without them the id is shown.
    get<Page<System>>("/api/v1/systems?limit=1000&archived=all").then(
      ({ items }) => {
        if (asker === visitor) systems.set(items);
      },
      () => {
        asked_ms = Number.NEGATIVE_INFINITY;
      },
    );
  }, [visitor]);
  return useShared(systems);
}

export function useSystemNames(): (id: string) => string {
  const known = useSystemList();
  return (id) => known.find((system) => system.id === id)?.name ?? shortId(id);
}
