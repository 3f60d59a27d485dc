/**
 * Work for many, a few at a time.
 * @param most that are under way at once
 * @returns what came of each, in the order of the items
 * @throws what the first that fails throws; no more are begun then
 */
export async function fewAtOnce<T, R>(
  items: readonly T[],
  most: number,
  work: (item: T) => Promise<R>,
): Promise<R[]> {
  const results: R[] = [];
  let failed = false;
  // One walk through the items that all take the next of
  const left = items.entries();
  const goOn = async () => {
    for (const [at, item] of left) {
      try {
        results[at] = await work(item);
      } catch (error) {
        failed = true;
        throw error;
      }
      if (failed) return;
    }
  };
  await Promise.all(Array.from({ length: most }, goOn));
  return results;
}
