/** Numbers that look random, and are the same again for the same seed. */
export interface Random {
  /** From 0 up to, not including, 1. */
  next(): number
  /** A whole number from 0 up to, not including, `limit`. */
  below(limit: number): number
  pick<T>(list: readonly T[]): T
  bytes(length: number): Buffer
  /** So many of the list, in its order. */
  sample<T>(list: readonly T[], count: number): T[]
  /** A sequence of its own, so that what one scenario takes does not change the next one's. */
  branch(name: string): Random
}

export function randomFrom(seed: number): Random {
  const next = mulberry32(seed)
  const below = (limit: number): number => Math.floor(next() * limit)
  return {
    next,
    below,
    pick: (list) => {
      const [found] = list.slice(below(list.length))
      if (found === undefined) throw new Error('there is nothing to pick')
      return found
    },
    bytes: (length) => Buffer.from(Array.from({ length }, () => below(256))),
    sample: (list, count) => {
      const ranked = list.map((item, at) => ({ item, at, rank: next() }))
      const chosen = ranked.toSorted((one, other) => one.rank - other.rank).slice(0, count)
      return chosen.toSorted((one, other) => one.at - other.at).map(({ item }) => item)
    },
    branch: (name) => randomFrom(hashOf(`${seed} ${name}`)),
  }
}

/** Tommy Ettinger's generator of 32 bits of state: small, and even enough for choosing faults. */
function mulberry32(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** FNV-1a. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5
  for (const character of text) hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 0x01000193)
  return hash >>> 0
}
