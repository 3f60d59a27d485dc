/** One stream of server-sent events that never gives up. In a tab, or in the worker that all tabs share. */

/** What a stream tells. */
export type LinkNews =
  | { readonly kind: "event"; readonly data: string }
  /** The connection is gone; it is tried again. */
  | { readonly kind: "lost" }
  /** It is opened anew, because the server refused it or said nothing: perhaps the session is over. */
  | { readonly kind: "reopened" };

/** What a tab tells the worker. */
export type TabMessage =
  | { readonly kind: "join"; readonly path: string; readonly name: string }
  /** What was sent last has been taken: there may be more. */
  | { readonly kind: "taken" }
  | { readonly kind: "leave" };

const RETRY_MS = 3_000;
/** One event comes each second; after that long without any, the link is as good as gone. */
const SILENCE_MS = 6_000;

/** @param name of the events that are told @returns ends it */
export function openLink(path: string, name: string, tell: (news: LinkNews) => void): () => void {
  let source: EventSource;
  let retry: ReturnType<typeof setTimeout> | undefined;
  let heard_ms = Date.now();
  const open = () => {
    source = new EventSource(path);
    heard_ms = Date.now();
    source.addEventListener(name, (event) => {
      heard_ms = Date.now();
      tell({ kind: "event", data: (event as MessageEvent<string>).data });
    });
    source.addEventListener("error", () => {
      tell({ kind: "lost" });
      // The browser tries again by itself unless the server refused.
      if (source.readyState !== EventSource.CLOSED) return;
      clearTimeout(retry);
      retry = setTimeout(reopen, RETRY_MS);
    });
  };
  const reopen = () => {
    source.close();
    tell({ kind: "reopened" });
    open();
  };
  const watch = setInterval(() => {
    if (Date.now() - heard_ms < SILENCE_MS) return;
    tell({ kind: "lost" });
    reopen();
  }, SILENCE_MS / 2);
  open();
  return () => {
    clearInterval(watch);
    clearTimeout(retry);
    source.close();
  };
}
