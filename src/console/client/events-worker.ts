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
  /** When it was sent something last, ms since the epoch. */
  sent_ms: number;
  /** What it follows; null: nothing. */
  wish: Wish | null;
  /** Null: it is gone, as far as can be seen from here. */
  stream: Stream | null;
}

interface Wish {
  readonly path: string;
  readonly name: string;
}

interface Stream {
  readonly key: string;
  readonly tabs: Set<Tab>;
  end: () => void;
  /** For those who join. */
  last: LinkNews | null;
}

/** A tab that takes nothing for so long has crashed without a word, or sleeps: then it joins anew when it wakes. */
const GONE_MS = 10_000;

const streams = new Map<string, Stream>();

function send(tab: Tab, news: LinkNews): void {
  if (tab.isBusy) {
    tab.waiting = news;
    return;
  }
  tab.isBusy = true;
  tab.sent_ms = Date.now();
  tab.port.postMessage(news);
}

function takeNext(tab: Tab): void {
  const news = tab.waiting;
  tab.isBusy = false;
  tab.waiting = null;
  if (news) send(tab, news);
}

function join(tab: Tab, { path, name }: Wish): void {
  const stream = streams.get(`${name} ${path}`) ?? begin(path, name);
  stream.tabs.add(tab);
  tab.stream = stream;
  if (stream.last) send(tab, stream.last);
}

/** The last tab ends the stream. */
function part(tab: Tab): void {
  const { stream } = tab;
  tab.stream = null;
  if (!stream?.tabs.delete(tab) || stream.tabs.size > 0) return;
  stream.end();
  streams.delete(stream.key);
}

function begin(path: string, name: string): Stream {
  const stream: Stream = { key: `${name} ${path}`, tabs: new Set(), end: () => undefined, last: null };
  streams.set(stream.key, stream);
  stream.end = openLink(path, name, (news) => {
    stream.last = news;
    for (const tab of stream.tabs) {
      if (tab.isBusy && Date.now() - tab.sent_ms > GONE_MS) part(tab);
      else send(tab, news);
    }
  });
  return stream;
}

addEventListener("connect", (event) => {
  const [port] = (event as MessageEvent<unknown>).ports;
  if (!port) return;
  const tab: Tab = { port, isBusy: false, waiting: null, sent_ms: 0, wish: null, stream: null };
  port.onmessage = ({ data }: MessageEvent<TabMessage>) => {
    if (data.kind === "taken") {
      takeNext(tab);
      if (tab.wish && !tab.stream) join(tab, tab.wish);
      return;
    }
    part(tab);
    tab.wish = data.kind === "join" ? data : null;
    if (tab.wish) join(tab, tab.wish);
    else Object.assign(tab, { isBusy: false, waiting: null });
  };
});
