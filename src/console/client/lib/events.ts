/** Server-sent events for a page: the state of the connection is part of what is shown. */
import { useEffect, useState } from "preact/hooks";
import { loadSession, session, sessionOver } from "./api.ts";
import { type LinkNews, openLink, type TabMessage } from "./event-link.ts";
import { useShared } from "./shared.ts";

export type LinkState = "connecting" | "live" | "lost";

/** The newest event of one name, and how the connection is. @param onEvent must be stable */
export function useEvents<T>(path: string, name: string, onEvent: (event: T) => void): LinkState {
  const [state, setState] = useState<LinkState>("connecting");
  const isOver = useShared(sessionOver);
  useEffect(() => {
    if (isOver) return;
    return follow(path, name, (news) => {
      if (news.kind === "event") {
        setState("live");
        onEvent(JSON.parse(news.data) as T);
        return;
      }
      setState("lost");
      // Only an answer of 401 ends a session; a service that is away does not.
      if (news.kind === "reopened" && document.visibilityState === "visible") void loadSession();
    });
  }, [path, name, onEvent, isOver]);
  return state;
}

type Follow = (path: string, name: string, hear: (news: LinkNews) => void) => () => void;

/** Through the worker that all tabs share; alone where the browser has none, or cannot load it. */
const follow: Follow = (path, name, hear) => {
  const script = document.getElementById("console")?.dataset.worker;
  if (typeof SharedWorker === "undefined" || script === undefined) return followAlone(path, name, hear);
  // Another visitor of this browser may reach other systems: a worker of their own.
  const worker = new SharedWorker(script, { name: `events of ${session.value?.user.id}` });
  const { port } = worker;
  const say = (message: TabMessage) => port.postMessage(message);
  let endAlone: (() => void) | undefined;
  worker.onerror = () => {
    endAlone ??= followAlone(path, name, hear);
  };
  port.onmessage = ({ data }: MessageEvent<LinkNews>) => {
    say({ kind: "taken" });
    hear(data);
  };
  const join = () => say({ kind: "join", path, name });
  const leave = () => say({ kind: "leave" });
  // A page that is gone tells nobody; one that comes back by the Back button goes on.
  const back = ({ persisted }: PageTransitionEvent) => persisted && join();
  addEventListener("pagehide", leave);
  addEventListener("pageshow", back);
  join();
  return () => {
    removeEventListener("pagehide", leave);
    removeEventListener("pageshow", back);
    leave();
    port.close();
    endAlone?.();
  };
};

/** Only while it is in sight: the tabs behind leave the browser's six connections to others. */
const followAlone: Follow = (path, name, hear) => {
  let end: (() => void) | undefined;
  const look = () => {
    end?.();
    end = document.visibilityState === "visible" ? openLink(path, name, hear) : undefined;
  };
  document.addEventListener("visibilitychange", look);
  look();
  return () => {
    document.removeEventListener("visibilitychange", look);
    end?.();
  };
};
