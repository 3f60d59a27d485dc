/** A list that grows page by page; what was loaded of it is there again on the way back. */

import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import type { Page } from "../types.ts";
import { get, type Problem } from "./api.ts";
import { heldNow } from "./kept.ts";
import { nextPath } from "./pages.ts";
import { asProblem, isAbort, type Resource, useSignedInAgain } from "./resource.ts";

export interface List<T> {
  readonly items: readonly T[] | null;
  readonly error: Problem | null;
  readonly loading: boolean;
  /** Null at the end, and while it loads. */
  readonly more: (() => void) | null;
  /** What is known is all that there is. */
  readonly isWhole: boolean;
  /** The items are still those of other filters: they may be looked at, not acted on. */
  readonly isOld: boolean;
  /** Asks anew for as many rows as are shown. */
  readonly reload: () => void;
}

/** A search looks at so much for a page: it may find nothing, and go on. Pages that are asked for in a person's place. */
const EMPTY_PAGES = 4;
/** Rows of a page that is asked for without a limit, or more. */
const SMALL_PAGE = 50;
/** Rows of a page when many are asked for again; every list of the API takes it. */
const LARGE_PAGE = 200;

interface Rows<T> {
  readonly items: readonly T[];
  readonly next: string | null;
}

/** A page and where it goes on; of empty ones the last that was asked for. @param path of the list */
async function pageOf<T>(path: string, from: string, signal: AbortSignal): Promise<Rows<T>> {
  let next: string | null = from;
  let items: readonly T[] = [];
  for (let asked = 0; next !== null && items.length === 0 && asked <= EMPTY_PAGES; asked += 1) {
    const page: Page<T> = await get<Page<T>>(next, signal);
    items = page.items;
    next = nextPath(path, page.next);
  }
  return { items, next };
}

/** The list from its begin, with at least so many rows where it has them. */
async function rowsOf<T>(path: string, least: number, signal: AbortSignal): Promise<Rows<T>> {
  let { items, next } = await pageOf<T>(path, largePages(path, least), signal);
  while (next !== null && items.length > 0 && items.length < least) {
    const more: Rows<T> = await pageOf<T>(path, next, signal);
    if (more.items.length === 0) break;
    items = [...items, ...more.items];
    next = more.next;
  }
  return { items, next };
}

/** In pages of as many as are needed, when these are more than its own. */
function largePages(path: string, least: number): string {
  const url = new URL(path, location.origin);
  const own = Number(url.searchParams.get("limit") ?? 0);
  if (least <= Math.max(own, SMALL_PAGE)) return path;
  url.searchParams.set("limit", String(Math.min(least, LARGE_PAGE)));
  return url.pathname + url.search;
}

/** So long out of sight, a list is asked for anew when it is looked at again: others may have worked on it meanwhile. */
const STALE_MS = 30_000;

/** @param reload must be stable */
function useSeenAgain(reload: () => void): void {
  useEffect(() => {
    let hidden_ms = Number.POSITIVE_INFINITY;
    const look = () => {
      const now_ms = performance.now();
      if (document.visibilityState === "visible" && now_ms - hidden_ms > STALE_MS) reload();
      hidden_ms = document.visibilityState === "visible" ? Number.POSITIVE_INFINITY : now_ms;
    };
    document.addEventListener("visibilitychange", look);
    return () => document.removeEventListener("visibilitychange", look);
  }, [reload]);
}

interface ListState<T> {
  /** Of which list the rows are. */
  readonly path: string;
  readonly rows: Rows<T> | null;
  readonly error: Problem | null;
  readonly loading: boolean;
}

/** Starts again when the path changes. */
export function useList<T>(path: string): List<T> {
  const kept = `list ${path}`;
  const before = () => (heldNow().get(kept) as Rows<T> | undefined) ?? null;
  const [state, setState] = useState<ListState<T>>(() => ({
    path,
    rows: before(),
    error: null,
    loading: true,
  }));
  const [round, setRound] = useState(0);
  const current = useRef<AbortController>(null);

  const ask = useCallback(
    (work: (signal: AbortSignal) => Promise<Rows<T>>) => {
      current.current?.abort();
      const abort = new AbortController();
      current.current = abort;
      const held = heldNow();
      setState((old) => ({ ...old, loading: true, error: null }));
      work(abort.signal).then(
        (rows) => {
          held.set(kept, rows);
          setState({ path, rows, error: null, loading: false });
        },
        (error: unknown) => {
          if (!isAbort(error)) setState((old) => ({ ...old, error: asProblem(error), loading: false }));
        },
      );
    },
    [path],
  );
  // A new round asks again
  useEffect(() => {
    const rows = before();
    if (rows) setState({ path, rows, error: null, loading: true });
    ask((signal) => rowsOf<T>(path, rows?.items.length ?? 0, signal));
    return () => current.current?.abort();
  }, [ask, path, round]);

  const { rows, error, loading } = state;
  const next = rows?.next ?? null;
  const grow = async (from: string, signal: AbortSignal) => {
    const page = await pageOf<T>(path, from, signal);
    return { ...page, items: [...(rows?.items ?? []), ...page.items] };
  };
  const more = next === null || loading ? null : () => ask((signal) => grow(next, signal));
  const reload = useCallback(() => setRound((count) => count + 1), []);
  useSignedInAgain(error, reload);
  useSeenAgain(reload);
  const items = rows?.items ?? null;
  return { items, error, loading, more, isWhole: next === null, isOld: state.path !== path, reload };
}

/** A list whose reload takes what stands beside it along. */
export const both = <T>(list: List<T>, beside: Pick<Resource<unknown>, "reload">): List<T> => ({
  ...list,
  reload: () => {
    list.reload();
    beside.reload();
  },
});
