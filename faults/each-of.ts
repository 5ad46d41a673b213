/** Works on all items, at most `width` at once, and gives the results in the items' order. The first failure ends it. */
export async function eachOf<T, R>(
  items: readonly T[],
  width: number,
  work: (item: T, at: number) => Promise<R>,
  done: (finished: number, of: number) => void = () => undefined,
): Promise<R[]> {
  const results: (readonly [at: number, result: R])[] = []
  const queue = [...items.entries()]
  const worker = async (): Promise<void> => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      const [at, item] = next
      results.push([at, await work(item, at)])
      done(results.length, items.length)
    }
  }
  try {
    await Promise.all(Array.from({ length: width }, worker))
  } finally {
    queue.length = 0
  }
  return results.toSorted(([one], [other]) => one - other).map(([, result]) => result)
}
