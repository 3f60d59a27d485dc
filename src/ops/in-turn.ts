/** Work that is done one after the other, in the order in which it was asked for. */
export class InTurn {
  /** Ends when nothing is under way; it never fails. */
  #last: Promise<unknown> = Promise.resolve();

  /** Do the work after what was asked for before, however that ended. @throws what the work throws */
  run<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#last.then(work);
    this.#last = mine.catch(() => undefined);
    return mine;
  }
}
