/** Waiting for a state without sleeping blindly. */

/**
 * The first value of `probe` that is neither undefined nor false, asked again every few ms. How often it is asked depends
 * on the machine: a probe that changes anything must leave it as it was.
 * @throws {Error} when there is none within `deadline_ms`
 */
export async function until<T>(
  what: string,
  probe: () => Promise<T | undefined | false> | T | undefined | false,
  deadline_ms = 30_000,
): Promise<T> {
  const end = performance.now() + deadline_ms;
  for (;;) {
    const value = await probe();
    if (value !== undefined && value !== false) return value;
    if (performance.now() > end) throw new Error(`not within ${deadline_ms} ms: ${what}`);
    await Bun.sleep(10);
  }
}
