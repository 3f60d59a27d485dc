/**
 * How many stream entries make one transaction. Bigger groups cost less a row; the bounds keep memory and the time
 * of a transaction in check. No entry waits for company: a group is what arrived while the one before was written.
 */

export interface GroupBounds {
  /** Entries in one group at most. */
  readonly entries: number;
  /** Readings aimed at. */
  readonly rows: number;
  /** Bytes of bodies aimed at. */
  readonly bytes: number;
}

const DEFAULT_GROUP_BOUNDS: GroupBounds = { entries: 256, rows: 40_000, bytes: 8_388_608 };

/**
 * Redis can only be asked for a number of entries, so the number follows the size of those seen last. It falls at
 * once and at most doubles, so that one read after a change of size stays near the bounds.
 */
export class BatchPolicy {
  #count = 4;

  constructor(private readonly bounds: GroupBounds = DEFAULT_GROUP_BOUNDS) {}

  /** Entries to ask for, at least 1. */
  get count(): number {
    return this.#count;
  }

  /**
   * What was read, in portions to be processed one after another. When big entries follow small ones, one read may
   * bring many times the bytes aimed at; only a portion of them is ever decoded at once.
   * @param sizeOf bytes of an item's body
   */
  portions<T>(items: readonly T[], sizeOf: (item: T) => number): T[][] {
    const portions: T[][] = [];
    let bytes = Number.POSITIVE_INFINITY;
    for (const item of items) {
      const size = sizeOf(item);
      if (bytes + size > this.bounds.bytes) {
        portions.push([]);
        bytes = 0;
      }
      portions.at(-1)!.push(item);
      bytes += size;
    }
    return portions;
  }

  /** Learn from a group: its entries, readings and bytes. */
  saw(entries: number, rows: number, bytes: number): void {
    if (entries === 0) return;
    const fitting = Math.min(
      this.bounds.entries,
      Math.floor((this.bounds.rows * entries) / Math.max(1, rows)),
      Math.floor((this.bounds.bytes * entries) / Math.max(1, bytes)),
    );
    this.#count = Math.max(1, Math.min(fitting, this.#count * 2));
  }
}
