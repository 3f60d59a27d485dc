/** Real addresses below /console: the path chooses the page, the query holds its filters. */
import { heldNow, newVisit } from "./kept.ts";
import { Shared, useShared } from "./shared.ts";

export const BASE = "/console";

export interface Place {
  /** Below /console, without a last slash: `/jobs`. */
  readonly path: string;
  readonly query: URLSearchParams;
}

const here = (): Place => ({
  path: location.pathname.slice(BASE.length).replace(/\/+$/, "") || "/",
  query: new URLSearchParams(location.search),
});

const place = new Shared<Place>(here());
/** How often a link or the way back led to a place; what fields of the page put into the address does not count. */
const arrivals = new Shared(0);
const arrived = () => arrivals.set(arrivals.value + 1);

export function navigate(to: string, { replace = false } = {}): void {
  if (replace) history.replaceState(history.state, "", to);
  else {
    // The event that tells of the scroll may come after the key that leads away
    heldNow().set("scroll", scrollY);
    history.pushState(newVisit(), "", to);
  }
  const before = place.value.path;
  place.set(here());
  if (place.value.path !== before) arrive();
}

/** Like a page load: begins at the top, and the reader of a screen hears the new page. */
function arrive(): void {
  scrollTo(0, 0);
  document.getElementById("main")?.focus({ preventScroll: true });
}

/** Longer than a page needs to draw what it kept. */
const RESTORE_MS = 1_000;

/** Back where the visitor was: as far down as before, once what stood there is drawn. */
function comeBack(): void {
  const wanted = (heldNow().get("scroll") as number | undefined) ?? 0;
  const before = place.value.path;
  place.set(here());
  arrived();
  if (place.value.path !== before) document.getElementById("main")?.focus({ preventScroll: true });
  const until_ms = performance.now() + RESTORE_MS;
  const scroll = () => {
    scrollTo(0, wanted);
    if (Math.abs(scrollY - wanted) > 1 && performance.now() < until_ms) requestAnimationFrame(scroll);
  };
  // Drawn first
  requestAnimationFrame(() => requestAnimationFrame(scroll));
}

/** Links of the console change the place without a load; modified clicks keep their meaning. */
export function startRouter(): void {
  history.scrollRestoration = "manual";
  heldNow();
  addEventListener("scroll", () => heldNow().set("scroll", scrollY), { passive: true });
  addEventListener("popstate", comeBack);
  document.addEventListener("click", (event) => {
    if (event.defaultPrevented || event.button !== 0) return;
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    const link = event.target instanceof Element ? event.target.closest("a") : null;
    if (!link || link.target || link.hasAttribute("download") || link.origin !== location.origin) return;
    if (link.pathname !== BASE && !link.pathname.startsWith(`${BASE}/`)) return;
    event.preventDefault();
    navigate(link.pathname + link.search);
    arrived();
  });
}

export const usePlace = (): Place => useShared(place);

/** Changes when the visitor comes to an address: its filters hold what it says then, whatever was typed into them. */
export const useArrival = (): number => useShared(arrivals);

/** Address of a page with filters; empty ones are left out. */
export function to(path: string, query: Readonly<Record<string, string | null | undefined>> = {}): string {
  const text = queryText(query);
  return `${BASE}${path === "/" ? "" : path}${text ? `?${text}` : ""}`;
}

/** `a=1&b=2` without what is empty. */
export function queryText(query: Readonly<Record<string, string | null | undefined>>): string {
  const present = Object.entries(query).filter((entry): entry is [string, string] => Boolean(entry[1]));
  return new URLSearchParams(present).toString();
}

/** The filters of the page, and a way to change some of them. */
export function useFilters(): [
  query: URLSearchParams,
  change: (changes: Readonly<Record<string, string | null>>, options?: { replace?: boolean }) => void,
] {
  const { path, query } = usePlace();
  const change = (changes: Readonly<Record<string, string | null>>, options = {}) =>
    navigate(to(path, { ...Object.fromEntries(query), ...changes }), options);
  return [query, change];
}
