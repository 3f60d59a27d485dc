/** A value that many components look at; each is drawn again when it changes. */
import { useLayoutEffect, useState } from "preact/hooks";

export class Shared<T> {
  readonly #listeners = new Set<() => void>();
  #value: T;

  constructor(value: T) {
    this.#value = value;
  }

  get value(): T {
    return this.#value;
  }

  set(value: T): void {
    this.#value = value;
    for (const listener of [...this.#listeners]) listener();
  }

  /** @returns the way to stop listening */
  listen(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }
}

export function useShared<T>(shared: Shared<T>): T {
  const [, draw] = useState(0);
  useLayoutEffect(() => shared.listen(() => draw((count) => count + 1)), [shared]);
  return shared.value;
}
