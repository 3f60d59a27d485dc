/** The list that the visitor came from, so that its next row can be opened without a way back. */
import { useLayoutEffect } from "preact/hooks";
import { navigate, usePlace } from "./router.ts";
import { Shared, useShared } from "./shared.ts";

/** Addresses of the rows, in their order. */
const trail = new Shared<readonly string[]>([]);

/** @param addresses of the rows of the list that is shown */
export function useTrail(addresses: readonly string[]): void {
  // At once with the list: a row may be opened before the picture is drawn
  useLayoutEffect(() => {
    if (addresses.length > 0) trail.set(addresses);
  }, [addresses.join("\n")]);
}

export interface Neighbours {
  /** Of this page among the rows, from 1; null: it is none of them. */
  readonly at: number | null;
  readonly of: number;
  /** Null where there is none. They take the place of this page, so that the way back still leads to the list. */
  readonly before: (() => void) | null;
  readonly next: (() => void) | null;
}

export function useNeighbours(): Neighbours {
  usePlace();
  const addresses = useShared(trail);
  const at = addresses.indexOf(location.pathname + location.search);
  const open = (index: number) => {
    const address = at < 0 ? undefined : addresses[index];
    return address === undefined ? null : () => navigate(address, { replace: true });
  };
  return { at: at < 0 ? null : at + 1, of: addresses.length, before: open(at - 1), next: open(at + 1) };
}
