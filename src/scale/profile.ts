// Where the time of the clock goes, by place in the source, by call stack and by line of memory: an observer of the
// clock. Every access is counted; call stacks are looked at for some accesses of each place only, and its time is dealt
// out among them. Times in picoseconds. Leaves out text, and reading the host's stack: the caller turns one into names.
import type { Site } from '../step/site.ts'
import { LINE_SHIFT } from '../machine/clock/lines.ts'
import {
  CACHE,
  type ClockObserver,
  HERE,
  HIT,
  INTERRUPT,
  LLC,
  MEMORY,
  UPGRADE,
} from '../machine/clock/observer.ts'
import { KIND_FLAGS, WRITES } from '../step/kinds.ts'

/** What the accesses of a place cost, and where they found their lines. */
export interface SiteUse {
  accesses: number
  time: number
  /** Of `time`: in accesses that did not hit, waits included. */
  missTime: number
  misses: number
  llc: number
  memory: number
  /** From other CPUs, and taking away what others have. */
  transfers: number
  upgrades: number
}

/** Who meets at a word of a line: accesses that made the line move. */
export interface WordUse {
  loads: number
  stores: number
  time: number
  readonly cpus: Set<number>
  /** How often by site. */
  readonly readers: Map<number, number>
  readonly writers: Map<number, number>
}

/** A call stack, innermost function first, and its time. */
export interface StackTime {
  readonly stack: readonly string[]
  readonly time: number
}

/** A function and a line of its source. */
export type Place = Pick<Site, 'fn' | 'file' | 'line'>

/**
 * So many of a site's first accesses have their stacks sampled; then one whenever the site has taken the time of EVERY
 * such.
 */
const FIRST = 128
const EVERY = 64

/** The call stacks of some of a site's accesses, each with the time that went by since the sample before. */
class Samples {
  /** By stack: one that is seen again is the same array. */
  readonly #seen = new Map<readonly Place[], number>()
  /** Time since the last sample. */
  unseen = 0
  #count = 0
  #period = 0

  /** An access takes `time`. Whether it is to be sampled: the longer it takes, the sooner. */
  takes(time: number): boolean {
    this.unseen += time
    if (this.#count === FIRST) return this.unseen >= this.#period
    this.#count++
    this.#period += (time / FIRST) * EVERY
    return true
  }

  see(stack: readonly Place[], time: number): void {
    this.#seen.set(stack, (this.#seen.get(stack) ?? 0) + time)
  }

  /** `time`, dealt out among the stacks. */
  deal(time: number): { stack: readonly Place[]; time: number }[] {
    const all = [...this.#seen.values()].reduce((sum, share) => sum + share, 0)
    return [...this.#seen].map(([stack, share]) => ({
      stack,
      time: all === 0 ? time / this.#seen.size : (time * share) / all,
    }))
  }
}

/** Time of no step: accesses to the CPU's own area, barriers, exceptions, delays. */
interface Between {
  accesses: number
  time: number
  readonly samples: Samples
}

const newUse = (): SiteUse => ({
  accesses: 0,
  time: 0,
  missTime: 0,
  misses: 0,
  llc: 0,
  memory: 0,
  transfers: 0,
  upgrades: 0,
})
const newSamples = (): Samples => new Samples()
const newBetween = (): Between => ({ accesses: 0, time: 0, samples: new Samples() })
const newWord = (): WordUse => ({
  loads: 0,
  stores: 0,
  time: 0,
  cpus: new Set(),
  readers: new Map(),
  writers: new Map(),
})

/** What `map` has for `key`; a new one if that is nothing. */
function obtain<T>(map: Map<number, T>, key: number, make: () => T): T {
  let value = map.get(key)
  if (value === undefined) {
    value = make()
    map.set(key, value)
  }
  return value
}

const IRQ: readonly Place[] = [{ fn: 'do_IRQ', file: '', line: 0 }]

export class Profile implements ClockObserver {
  readonly #sites: readonly Site[]
  readonly #framesOf: (stack: string, inner: boolean) => readonly Place[]
  #uses = new Map<number, SiteUse>()
  #samples = new Map<number, Samples>()
  /** By the site of the step before. */
  #between = new Map<number, Between>()
  #words = new Map<number, WordUse>()
  /** By CPU the site whose stack is to be looked at, and the time that this stack answers for. */
  readonly #due = new Map<number, { readonly site: number; time: number }>()

  /**
   * @param framesOf the functions of a host's stack, innermost first; without the innermost frame, or with it. Equal
   * stacks: the same array
   */
  constructor(sites: readonly Site[], framesOf: (stack: string, inner: boolean) => readonly Place[]) {
    this.#sites = sites
    this.#framesOf = framesOf
  }

  begin(): void {
    this.#uses = new Map()
    this.#samples = new Map()
    this.#between = new Map()
    this.#words = new Map()
    this.#due.clear()
  }

  access(
    cpu: number,
    site: number,
    addr: number,
    kind: number,
    source: number,
    waited: number,
    cost: number,
  ): void {
    if (source === UPGRADE || source >= CACHE)
      this.#moved(cpu, site < 0 ? ~site : site, addr, kind, waited + cost)
    if (site < 0) {
      this.#here(~site, waited + cost).accesses++
      return
    }
    const use = this.#use(site)
    use.accesses++
    use.time += waited + cost
    this.#account(cpu, site, waited + cost)
    if (source === HIT && waited === 0) return
    use.misses++
    use.missTime += waited + cost
    if (source === LLC) use.llc++
    else if (source === MEMORY) use.memory++
    else if (source === UPGRADE) use.upgrades++
    else if (source >= CACHE) use.transfers++
  }

  passed(cpu: number, where: number, last: number, time: number): void {
    if (where === HERE) this.#here(last, time)
    else if (where === INTERRUPT) {
      const between = this.#betweenAt(INTERRUPT)
      between.time += time
      between.samples.see(IRQ, time)
    } else {
      this.#use(where).time += time
      const due = this.#due.get(cpu)
      if (due?.site === where) due.time += time
      else this.#samplesAt(where).unseen += time
    }
  }

  performing(cpu: number): void {
    if (this.#due.size === 0) return
    const due = this.#due.get(cpu)
    if (due === undefined) return
    this.#due.delete(cpu)
    const outer = this.#framesOf(new Error('stack').stack ?? '', false)
    this.#samplesAt(due.site).see(outer, due.time)
  }

  #use(site: number): SiteUse {
    return obtain(this.#uses, site, newUse)
  }

  #samplesAt(site: number): Samples {
    return obtain(this.#samples, site, newSamples)
  }

  #betweenAt(site: number): Between {
    return obtain(this.#between, site, newBetween)
  }

  /** Keeps the time of an access for the stack that is sampled next: its own, if it is next. */
  #account(cpu: number, site: number, time: number): void {
    const samples = this.#samplesAt(site)
    const due = this.#due.get(cpu)
    if (due?.site === site) {
      due.time += time
      return
    }
    if (due !== undefined) {
      // An interrupt came before it was performed.
      this.#samplesAt(due.site).unseen += due.time
      this.#due.delete(cpu)
    }
    if (!samples.takes(time)) return
    this.#due.set(cpu, { site, time: samples.unseen })
    samples.unseen = 0
  }

  /** Time that passes where the host's stack is. */
  #here(last: number, time: number): Between {
    const between = this.#betweenAt(last)
    const { samples } = between
    between.time += time
    if (samples.takes(time)) {
      const stack = this.#framesOf(new Error('stack').stack ?? '', true)
      samples.see(stack.length > 0 ? stack : sitePlaces(this.#sites[last]), samples.unseen)
      samples.unseen = 0
    }
    return between
  }

  #moved(cpu: number, site: number, addr: number, kind: number, time: number): void {
    const word = obtain(this.#words, addr, newWord)
    const stores = (KIND_FLAGS[kind] & WRITES) !== 0
    if (stores) word.stores++
    else word.loads++
    word.time += time
    word.cpus.add(cpu)
    const sites = stores ? word.writers : word.readers
    sites.set(site, (sites.get(site) ?? 0) + 1)
  }

  /** All time of the window's CPUs, up to what they idle when they are done. */
  get total(): number {
    let all = 0
    for (const use of this.#uses.values()) all += use.time
    for (const { time } of this.#between.values()) all += time
    return all
  }

  get accesses(): number {
    let all = 0
    for (const use of this.#uses.values()) all += use.accesses
    for (const { accesses } of this.#between.values()) all += accesses
    return all
  }

  /** By index of the site; without accesses to CPUs' own areas. */
  get sites(): ReadonlyMap<number, SiteUse> {
    return this.#uses
  }

  /** By address. */
  get words(): ReadonlyMap<number, WordUse> {
    return this.#words
  }

  /** All time, by call stack. */
  get stacks(): StackTime[] {
    const all: StackTime[] = []
    for (const [site, { time }] of this.#uses) {
      const inner = siteNames(this.#sites[site])
      const dealt = this.#samples.get(site)?.deal(time) ?? []
      if (dealt.length === 0) dealt.push({ stack: [], time })
      for (const { stack, time: share } of dealt)
        all.push({ stack: [...inner, ...stack.map(({ fn }) => fn)], time: share })
    }
    for (const { stack, time } of this.#dealtBetween()) all.push({ stack: stack.map(({ fn }) => fn), time })
    return all
  }

  /** Time of no step, by the line at which it goes by. */
  get elsewhere(): { place: Place; time: number }[] {
    return this.#dealtBetween().map(({ stack, time }) => ({ place: stack[0], time }))
  }

  #dealtBetween(): { stack: readonly Place[]; time: number }[] {
    return [...this.#between.values()].flatMap(({ time, samples }) => samples.deal(time))
  }
}

/**
 * The places at a site, innermost first: those that kbuild put in place of their calls, and the one in which it stands.
 */
function sitePlaces(site: Site): Place[] {
  return [site, ...(site.callers ?? [])]
}

/**
 * The functions at a site, innermost first: those that kbuild put in place of their calls, and the one in which it
 * stands.
 */
export function siteNames(site: Site): string[] {
  return [site.fn, ...(site.callers ?? []).map((caller) => caller.fn)]
}

/** Number of the line of a word. */
export function lineOf(addr: number): number {
  return addr >> LINE_SHIFT
}
