// Free objects hold poison: whoever writes to one has kept a pointer too long. A machine that knows what was written
// since a state that it keeps is looked at there alone: what was clean then and was not written to is clean.
import { hex } from '../inspect/names.ts'
import type { KeptState } from '../inspect/symbols.ts'
import type { Findings } from './check.ts'
import type { ObjectCache } from './objects.ts'
import { RestingMachine } from './resting_machine.ts'

/** Words of an object that hold poison, at most; the first links the list. */
const POISONED = 16

/** Notes every word of a free object that is not as it should be. */
export function checkPoison(view: RestingMachine, found: Findings): void {
  if (view.since !== undefined && isClean(view, view.since)) return
  for (const cache of Object.values(view.caches))
    for (let i = 0; i < cache.count; i++) if (cache.free[i] !== 0) checkObject(view, cache, i, found)
}

function checkObject(view: RestingMachine, cache: ObjectCache, i: number, found: Findings): void {
  const { memory } = view
  const object = cache.base + i * cache.words
  const expected = expectedOf(memory, object, view.symbols.POISON_FREE)
  for (let at = object + 1, end = endOf(cache, object); at < end; at++)
    if (memory[at] !== expected)
      found.add(
        () =>
          `${cache.name} ${i} is free and word ${at - object} of it is ${hex(memory[at])}, expected ${hex(expected)}`,
      )
}

/** Freed objects hold POISON_FREE; never used ones are 0. */
function expectedOf(memory: Int32Array, object: number, poison: number): number {
  return memory[object + 1] === 0 && memory[object + 2] === 0 ? 0 : poison
}

function endOf(cache: ObjectCache, object: number): number {
  return object + Math.min(cache.words, POISONED)
}

/** What is known of the objects in a state that a machine keeps. */
interface KeptObjects {
  /** By word: 1 and more, the number of the cache that it lies in; 0: none. */
  readonly cacheOf: Uint8Array
  /** By cache: numbers of the objects that are in use, or were written to. */
  readonly others: readonly (readonly number[])[]
}

const known = new WeakMap<Int32Array, KeptObjects>()

/** Whether all free objects are clean, of which those that are not written to were so in the state that is kept. */
function isClean(view: RestingMachine, since: KeptState): boolean {
  let kept = known.get(since.memory)
  if (!kept) known.set(since.memory, (kept = readKept(view, since.memory)))
  const { memory } = view
  const poison = view.symbols.POISON_FREE
  const caches = Object.values(view.caches)
  for (const [which, cache] of caches.entries())
    for (const i of kept.others[which])
      if (cache.free[i] !== 0 && !isObjectClean(memory, cache, cache.base + i * cache.words, poison))
        return false
  const { written } = since
  const { cacheOf } = kept
  for (let at = 0; at < written.length; at++) {
    const which = cacheOf[written[at]]
    if (which === 0) continue
    const cache = caches[which - 1]
    const i = ((written[at] - cache.base) / cache.words) | 0
    if (cache.free[i] !== 0 && !isObjectClean(memory, cache, cache.base + i * cache.words, poison))
      return false
  }
  return true
}

function isObjectClean(memory: Int32Array, cache: ObjectCache, object: number, poison: number): boolean {
  const expected = expectedOf(memory, object, poison)
  for (let at = object + 1, end = endOf(cache, object); at < end; at++)
    if (memory[at] !== expected) return false
  return true
}

function readKept({ symbols, stage }: RestingMachine, memory: Int32Array): KeptObjects {
  const caches = Object.values(new RestingMachine({ memory, symbols }, stage).caches)
  const cacheOf = new Uint8Array(memory.length)
  for (const [which, cache] of caches.entries())
    cacheOf.fill(which + 1, cache.base, cache.base + cache.count * cache.words)
  const others = caches.map((cache) =>
    Array.from({ length: cache.count }, (_, i) => i).filter(
      (i) =>
        cache.free[i] === 0 ||
        !isObjectClean(memory, cache, cache.base + i * cache.words, symbols.POISON_FREE),
    ),
  )
  return { cacheOf, others }
}
