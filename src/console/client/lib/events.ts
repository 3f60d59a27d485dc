/** Server-sent events that never give up: the state of the connection is part of what is shown. */
import { useEffect, useState } from "preact/hooks";
import { loadSession } from "./api.ts";

export type LinkState = "connecting" | "live" | "lost";

const RETRY_MS = 3_000;
/** One event comes each second; after that long without any, the link is as good as gone. */
const SILENCE_MS = 6_000;

/** The newest event of one name, and how the connection is. @param onEvent must be stable */
export function useEvents<T>(path: string, name: string, onEvent: (event: T) => void): LinkState {
  const [state, setState] = useState<LinkState>("connecting");
  useEffect(() => {
    let source: EventSource;
    let retry: ReturnType<typeof setTimeout> | undefined;
    let heard_ms = Date.now();
    const open = () => {
      source = new EventSource(path);
      heard_ms = Date.now();
      source.addEventListener(name, (event) => {
        heard_ms = Date.now();
        setState("live");
        onEvent(JSON.parse((event as MessageEvent<string>).data) as T);
      });
      source.addEventListener("error", () => {
        setState("lost");
        // The browser tries again by itself unless the server refused; then we ask whether the session is over.
        if (source.readyState !== EventSource.CLOSED) return;
        clearTimeout(retry);
        retry = setTimeout(reopen, RETRY_MS);
      });
    };
    const reopen = () => {
      source.close();
      // Only an answer of 401 ends a session; a service that is away does not.
      void loadSession();
      open();
    };
    const watch = setInterval(() => {
      if (Date.now() - heard_ms < SILENCE_MS) return;
      setState("lost");
      reopen();
    }, SILENCE_MS / 2);
    open();
    return () => {
      clearInterval(watch);
      clearTimeout(retry);
      source.close();
    };
  }, [path, name, onEvent]);
  return state;
}
