// What a scenario declares that a hunt of it reaches, beside what the hunt did: names to functions and counters of the
// image, and which of them are missing. Leaves out how it is written: src/catalog/forms.ts.
import { UsageError } from '../base/errors.ts'
import { didYouMean } from '../base/nearest.ts'
import type { Declaration, Expectation } from '../catalog/forms.ts'
import { eventNames, retryNames } from '../inspect/events.ts'
import type { Site } from '../step/site.ts'

/** What is needed of an image. */
export interface DeclaredImage {
  readonly symbols: Readonly<Record<string, number>>
  readonly sites: readonly Site[]
  /** Names of all functions that its modules declare. */
  readonly declared: readonly string[]
}

/** What a hunt did. */
export interface Done {
  readonly executions: number
  /** Places that took a step. */
  readonly sites: readonly number[]
  /** The kernel's counters (machine.stat), summed up. */
  readonly stat: readonly number[]
}

/** An event that was to be counted once in so many executions, and how often it was. */
export interface Unmet {
  readonly event: string
  readonly in: number
  readonly count: number
}

/** Names of an image: where a function has its places, and where an event is counted. */
class Names {
  readonly #functions = new Map<string, number[]>()
  readonly #declared: ReadonlySet<string>
  readonly #counters: ReadonlyMap<string, number>

  constructor({ symbols, sites, declared }: DeclaredImage) {
    this.#declared = new Set(declared)
    this.#counters = new Map([...retryNames(symbols), ...eventNames(symbols)])
    for (const [index, { fn, helper, callers }] of sites.entries())
      for (const name of [fn, helper ?? fn, ...(callers ?? []).map((frame) => frame.fn)]) {
        const places = this.#functions.get(name)
        if (places === undefined) this.#functions.set(name, [index])
        else places.push(index)
      }
  }

  /** Whether `name` was reached. Throws UsageError for a name that there is not. */
  reached(name: string, { sites, stat }: { sites: ReadonlySet<number>; stat: Done['stat'] }): boolean {
    const places = this.#functions.get(name)
    if (places !== undefined) return places.some((place) => sites.has(place))
    // Of the kernel, but not in this image, or without an access by which it could be seen.
    if (this.#declared.has(name)) return false
    return (stat[this.counter('reaches', name)] ?? 0) > 0
  }

  /** The index of an event or a retry. Throws UsageError if there is none of that name. */
  counter(tag: 'reaches' | 'expects', name: string): number {
    const index = this.#counters.get(name)
    if (index !== undefined) return index
    const known = [...(tag === 'reaches' ? this.#declared : []), ...this.#counters.keys()]
    const what = tag === 'reaches' ? 'function and no event' : 'event'
    throw new UsageError(`@${tag} ${name}: the kernel has no such ${what}${didYouMean(name, known)}.`)
  }
}

const NOTHING: Done = { executions: 0, sites: [], stat: [] }

/** Throws UsageError, which begins with `scenario`, for a declared name that the kernel does not have. */
export function checkNames(
  scenario: string,
  image: DeclaredImage,
  { reaches, expects }: Pick<Declaration, 'reaches' | 'expects'>,
): void {
  try {
    notReached(image, reaches, NOTHING)
    unmet(image, expects, NOTHING)
  } catch (error) {
    throw error instanceof UsageError ? new UsageError(`${scenario}: ${error.message}`) : error
  }
}

/** Those of `reaches` that a hunt did not reach. Throws UsageError as checkNames does. */
export function notReached(image: DeclaredImage, reaches: readonly string[], done: Done): string[] {
  if (reaches.length === 0) return []
  const names = new Names(image)
  const sites = new Set(done.sites)
  return reaches.filter((name) => !names.reached(name, { sites, stat: done.stat }))
}

/** Those of `expects` that came up less often than declared. Throws UsageError as checkNames does. */
export function unmet(image: DeclaredImage, expects: readonly Expectation[], done: Done): Unmet[] {
  if (expects.length === 0) return []
  const names = new Names(image)
  return expects.flatMap(({ event, executions }) => {
    const count = done.stat[names.counter('expects', event)] ?? 0
    return count < Math.floor(done.executions / executions) ? [{ event, in: executions, count }] : []
  })
}
