/** What a page reads, and what it sends. Old data stays in sight while new data comes. */

import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { get, Problem, sessionOver } from "./api.ts";
import { FormError } from "./form-error.ts";
import { useShared } from "./shared.ts";

export interface Resource<T> {
  readonly data: T | null;
  readonly error: Problem | null;
  readonly loading: boolean;
  readonly reload: () => void;
}

export function asProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  const title = error instanceof FormError ? "Not ready to be sent" : "The console failed";
  return new Problem(0, title, error instanceof Error ? error.message : "unknown", null, {});
}
export const isAbort = (error: unknown) => error instanceof DOMException && error.name === "AbortError";

/** The dialog that asks to sign in again says it. */
const isSessionOver = ({ status, name_of_type }: Problem) =>
  status === 401 && name_of_type !== "invalid-credentials";

/** What a session left undone when it ended is asked for again once there is another. @param reload must be stable */
export function useSignedInAgain(error: Problem | null, reload: () => void): void {
  const isOver = useShared(sessionOver);
  const isUndone = error !== null && isSessionOver(error);
  useEffect(() => {
    if (isUndone && !isOver) reload();
  }, [isUndone, isOver, reload]);
}

/** No answer of the service takes longer, unless it is lost on its way. */
const LOST_MS = 15_000;

/** @param path null: nothing is asked yet. @param every_ms asks again that often; 0: never */
export function useResource<T>(path: string | null, every_ms = 0): Resource<T> {
  const [state, setState] = useState<Omit<Resource<T>, "reload">>({ data: null, error: null, loading: true });
  const [round, setRound] = useState(0);
  const reload = useCallback(() => setRound((count) => count + 1), []);
  /** Since when an answer is waited for, ms of `performance.now()`; null: none is. */
  const since = useRef<number>(null);
  // A new round asks again
  useEffect(() => {
    if (path === null) return;
    const abort = new AbortController();
    since.current = performance.now();
    setState((old) => ({ ...old, loading: true }));
    const end = (next: (old: typeof state) => typeof state) => {
      since.current = null;
      setState(next);
    };
    get<T>(path, abort.signal).then(
      (data) => end(() => ({ data, error: null, loading: false })),
      (error: unknown) => {
        if (!isAbort(error)) end((old) => ({ ...old, error: asProblem(error), loading: false }));
      },
    );
    return () => {
      since.current = null;
      abort.abort();
    };
  }, [path, round]);
  useEffect(() => {
    if (every_ms === 0) return;
    const look = () => {
      // Asking again ends the request before: where answers take longer than that, none would ever come
      const isComing = since.current !== null && performance.now() - since.current < LOST_MS;
      if (document.visibilityState === "visible" && !sessionOver.value && !isComing) reload();
    };
    const timer = setInterval(look, every_ms);
    return () => clearInterval(timer);
  }, [every_ms, reload]);
  useSignedInAgain(state.error, reload);
  return { ...state, reload };
}

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
