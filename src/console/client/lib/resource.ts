/** What a page reads: one answer, or a list that grows page by page. Old data stays in sight while new data comes. */

import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import type { Page } from "../types.ts";
import { get, Problem, sessionOver } from "./api.ts";
import { FormError } from "./form-error.ts";
import { useShared } from "./shared.ts";

export interface Resource<T> {
  readonly data: T | null;
  readonly error: Problem | null;
  readonly loading: boolean;
  readonly reload: () => void;
}

function asProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  const title = error instanceof FormError ? "Not ready to be sent" : "The console failed";
  return new Problem(0, title, error instanceof Error ? error.message : "unknown", null, {});
}
const isAbort = (error: unknown) => error instanceof DOMException && error.name === "AbortError";

/** The dialog that asks to sign in again says it. */
const isSessionOver = ({ status, name_of_type }: Problem) =>
  status === 401 && name_of_type !== "invalid-credentials";

/** What a session left undone when it ended is asked for again once there is another. @param reload must be stable */
function useSignedInAgain(error: Problem | null, reload: () => void): void {
  const isOver = useShared(sessionOver);
  const isUndone = error !== null && isSessionOver(error);
  useEffect(() => {
    if (isUndone && !isOver) reload();
  }, [isUndone, isOver, reload]);
}

/** @param path null: nothing is asked yet. @param every_ms asks again that often; 0: never */
export function useResource<T>(path: string | null, every_ms = 0): Resource<T> {
  const [state, setState] = useState<Omit<Resource<T>, "reload">>({ data: null, error: null, loading: true });
  const [round, setRound] = useState(0);
  const reload = useCallback(() => setRound((count) => count + 1), []);
  // A new round asks again
  useEffect(() => {
    if (path === null) return;
    const abort = new AbortController();
    setState((old) => ({ ...old, loading: true }));
    get<T>(path, abort.signal).then(
      (data) => setState({ data, error: null, loading: false }),
      (error: unknown) => {
        if (!isAbort(error)) setState((old) => ({ ...old, error: asProblem(error), loading: false }));
      },
    );
    return () => abort.abort();
  }, [path, round]);
  useEffect(() => {
    if (every_ms === 0) return;
    const look = () => {
      if (document.visibilityState === "visible" && !sessionOver.value) reload();
    };
    const timer = setInterval(look, every_ms);
    return () => clearInterval(timer);
  }, [every_ms, reload]);
  useSignedInAgain(state.error, reload);
  return { ...state, reload };
}

export interface List<T> {
  readonly items: readonly T[] | null;
  readonly error: Problem | null;
  readonly loading: boolean;
  /** Null at the end, and while it loads. */
  readonly more: (() => void) | null;
  /** What is known is all that there is. */
  readonly isWhole: boolean;
  readonly reload: () => void;
}

/** A search looks at so much for a page: it may find nothing, and go on. Pages that are asked for in a person's place. */
const EMPTY_PAGES = 4;

/** `next` is an address, or a cursor for `after`. */
function nextPath(path: string, next: string | number | null): string | null {
  if (next === null || next === undefined) return null;
  if (typeof next === "string" && next.startsWith("/")) return next;
  const url = new URL(path, location.origin);
  url.searchParams.set("after", String(next));
  return url.pathname + url.search;
}

/** A page and where it goes on; of empty ones the last that was asked for. @param path of the list */
async function pageOf<T>(path: string, from: string, signal: AbortSignal) {
  let next: string | null = from;
  let items: readonly T[] = [];
  for (let asked = 0; next !== null && items.length === 0 && asked <= EMPTY_PAGES; asked += 1) {
    const page: Page<T> = await get<Page<T>>(next, signal);
    items = page.items;
    next = nextPath(path, page.next);
  }
  return { items, next };
}

interface ListState<T> {
  readonly items: readonly T[] | null;
  readonly next: string | null;
  readonly error: Problem | null;
  readonly loading: boolean;
}

/** Starts again when the path changes. */
export function useList<T>(path: string): List<T> {
  const [state, setState] = useState<ListState<T>>({ items: null, next: null, error: null, loading: true });
  const [round, setRound] = useState(0);
  const current = useRef<AbortController>(null);

  const ask = useCallback(
    (from: string, before: readonly T[]) => {
      current.current?.abort();
      const abort = new AbortController();
      current.current = abort;
      setState((old) => ({ ...old, loading: true, error: null }));
      pageOf<T>(path, from, abort.signal).then(
        ({ items, next }) => setState({ items: [...before, ...items], next, error: null, loading: false }),
        (error: unknown) => {
          if (!isAbort(error)) setState((old) => ({ ...old, error: asProblem(error), loading: false }));
        },
      );
    },
    [path],
  );
  // A new round asks again
  useEffect(() => {
    ask(path, []);
    return () => current.current?.abort();
  }, [ask, path, round]);

  const { items, next, error, loading } = state;
  const more = next === null || loading ? null : () => ask(next, items ?? []);
  const reload = useCallback(() => setRound((count) => count + 1), []);
  useSignedInAgain(error, reload);
  return { items, error, loading, more, isWhole: next === null, reload };
}

/** A list whose reload takes what stands beside it along. */
export const both = <T>(list: List<T>, beside: Pick<Resource<unknown>, "reload">): List<T> => ({
  ...list,
  reload: () => {
    list.reload();
    beside.reload();
  },
});

/** A request that a person starts. */
export function useAction(): {
  readonly busy: boolean;
  readonly problem: Problem | null;
  readonly run: (work: () => Promise<void>) => Promise<void>;
  readonly clear: () => void;
} {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);
  const run = async (work: () => Promise<void>) => {
    setBusy(true);
    setProblem(null);
    try {
      await work();
    } catch (error) {
      const problem = asProblem(error);
      if (!isSessionOver(problem)) setProblem(problem);
    } finally {
      setBusy(false);
    }
  };
  return { busy, problem, run, clear: () => setProblem(null) };
}
