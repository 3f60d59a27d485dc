/** What a page reads: one answer, or a list that grows page by page. Old data stays in sight while new data comes. */

import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import type { Page } from "../types.ts";
import { get, Problem } from "./api.ts";
import { FormError } from "./form-error.ts";

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
    const timer = setInterval(() => document.visibilityState === "visible" && reload(), every_ms);
    return () => clearInterval(timer);
  }, [every_ms, reload]);
  return { ...state, reload };
}

export interface List<T> {
  readonly items: readonly T[] | null;
  readonly error: Problem | null;
  readonly loading: boolean;
  /** Null at the end. */
  readonly more: (() => void) | null;
  readonly reload: () => void;
}

/** `next` is an address, or a cursor for `after`. */
function nextPath(path: string, next: string | number | null): string | null {
  if (next === null || next === undefined) return null;
  if (typeof next === "string" && next.startsWith("/")) return next;
  const url = new URL(path, location.origin);
  url.searchParams.set("after", String(next));
  return url.pathname + url.search;
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
      get<Page<T>>(from, abort.signal).then(
        ({ items, next }) =>
          setState({ items: [...before, ...items], next: nextPath(path, next), error: null, loading: false }),
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
  return { items, error, loading, more, reload: () => setRound((count) => count + 1) };
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
      setProblem(asProblem(error));
    } finally {
      setBusy(false);
    }
  };
  return { busy, problem, run, clear: () => setProblem(null) };
}
