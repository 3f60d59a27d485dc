/**
 * Runs once for all tabs of a visitor. A browser opens six connections to a host over HTTP/1.1; a stream of each tab's
 * own would take them all, and the seventh tab would not even load. Here they share one.
 */
import { type LinkNews, openLink, type TabMessage } from "./lib/event-link.ts";

/** A tab that draws slowly, or that the browser has put to sleep, skips what is old instead of letting it pile up. */
interface Tab {
  readonly port: MessagePort;
  isBusy: boolean;
  waiting: LinkNews | null;
}

interface Stream {
  readonly tabs: Set<Tab>;
  end: () => void;
  /** For those who join. */
  last: LinkNews | null;
}

const streams = new Map<string, Stream>();

function send(tab: Tab, news: LinkNews): void {
  if (tab.isBusy) {
    tab.waiting = news;
    return;
  }
  tab.isBusy = true;
  tab.port.postMessage(news);
}

function takeNext(tab: Tab): void {
  const news = tab.waiting;
  tab.isBusy = false;
  tab.waiting = null;
  if (news) send(tab, news);
}

function join(tab: Tab, path: string, name: string): () => void {
  const key = `${name} ${path}`;
  const stream = streams.get(key) ?? begin(key, path, name);
  stream.tabs.add(tab);
  if (stream.last) send(tab, stream.last);
  return () => {
    stream.tabs.delete(tab);
    if (stream.tabs.size > 0) return;
    stream.end();
    streams.delete(key);
  };
}

function begin(key: string, path: string, name: string): Stream {
  const stream: Stream = { tabs: new Set(), end: () => undefined, last: null };
  streams.set(key, stream);
  stream.end = openLink(path, name, (news) => {
    stream.last = news;
    for (const tab of stream.tabs) send(tab, news);
  });
  return stream;
}

addEventListener("connect", (event) => {
  const [port] = (event as MessageEvent<unknown>).ports;
  if (!port) return;
  const tab: Tab = { port, isBusy: false, waiting: null };
  let leave = (): void => undefined;
  port.onmessage = ({ data }: MessageEvent<TabMessage>) => {
    if (data.kind === "taken") return takeNext(tab);
    leave();
    leave = data.kind === "join" ? join(tab, data.path, data.name) : () => undefined;
    if (data.kind === "leave") Object.assign(tab, { isBusy: false, waiting: null });
  };
});
