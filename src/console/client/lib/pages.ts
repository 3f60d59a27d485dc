/** Lists that come page by page. */
import type { Page } from "../types.ts";
import { get } from "./api.ts";

/** `next` is an address, or a cursor for `after`. */
export function nextPath(path: string, next: string | number | null): string | null {
  if (next === null || next === undefined) return null;
  if (typeof next === "string" && next.startsWith("/")) return next;
  const url = new URL(path, location.origin);
  url.searchParams.set("after", String(next));
  return url.pathname + url.search;
}

/** All pages of a list, one after the other. @throws {Problem} */
export async function getAll<T>(path: string): Promise<readonly T[]> {
  const items: T[] = [];
  for (let next: string | null = path; next !== null; ) {
    const page: Page<T> = await get<Page<T>>(next);
    items.push(...page.items);
    next = nextPath(path, page.next);
  }
  return items;
}
