// Where the time of the clock goes, by place in the source, by call stack and by line of memory: an observer of the clock. Every access is
// counted; call stacks are looked at for some accesses of each place only, and its time is dealt out among them. Times in picoseconds.
// Leaves out text, and reading the host's stack: the caller turns one into names.
import type { Site } from '../../kbuild/announce.ts'
import { LINE_SHIFT } from '../../machine/clock/lines.ts'
import { CACHE, type ClockObserver, HIT, LLC, MEMORY, UPGRADE } from '../../machine/clock/observer.ts'
import { KIND_FLAGS, WRITES } from '../../machine/stepped/kinds.ts'

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
  readonly sites: Map<number, number>
}

/** A call stack, innermost function first, and its time. */
export interface StackTime {
  readonly stack: readonly string[]
  readonly time: number
}

/** After its first accesses a place's stack is looked at once in so many. */
const EVERY = 512

export class Profile implements ClockObserver {
  readonly #sites: readonly Site[]
  readonly #namesOf: (stack: string) => readonly string[]
  #uses = new Map<number, SiteUse>()
  /** By site: accesses to the CPU's own area after it. Nothing says where these stand: in no line, and in the function that was running. */
  #after = new Map<number, { accesses: number; time: number }>()
  /** By site, by stack (names joined): how often it was seen. */
  #stacks = new Map<number, Map<string, number>>()
  #words = new Map<number, WordUse>()
  /** By CPU the site whose stack is to be looked at, plus 1. */
  readonly #due = new Map<number, number>()

  /** @param namesOf functions of a host's stack below the innermost one, innermost first */
  constructor(sites: readonly Site[], namesOf: (stack: string) => readonly string[]) {
    this.#sites = sites
    this.#namesOf = namesOf
  }

  begin(): void {
    this.#uses = new Map()
    this.#after = new Map()
    this.#words = new Map()
    this.#stacks = new Map()
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
      const after = this.#after.get(~site) ?? { accesses: 0, time: 0 }
      after.accesses++
      after.time += waited + cost
      this.#after.set(~site, after)
      return
    }
    let use = this.#uses.get(site)
    if (use === undefined) {
      use = { accesses: 0, time: 0, missTime: 0, misses: 0, llc: 0, memory: 0, transfers: 0, upgrades: 0 }
      this.#uses.set(site, use)
    }
    use.accesses++
    use.time += waited + cost
    if ((use.accesses & (use.accesses - 1)) === 0 || use.accesses % EVERY === 0) this.#due.set(cpu, site + 1)
    if (source === HIT && waited === 0) return
    use.misses++
    use.missTime += waited + cost
    if (source === LLC) use.llc++
    else if (source === MEMORY) use.memory++
    else if (source === UPGRADE) use.upgrades++
    else if (source >= CACHE) use.transfers++
  }

  performing(cpu: number): void {
    if (this.#due.size === 0) return
    const due = this.#due.get(cpu)
    if (due === undefined) return
    this.#due.delete(cpu)
    const site = due - 1
    const outer = this.#namesOf(new Error('stack').stack ?? '')
    const key = [...siteNames(this.#sites[site]), ...outer].join('\n')
    let stacks = this.#stacks.get(site)
    if (stacks === undefined) {
      stacks = new Map()
      this.#stacks.set(site, stacks)
    }
    stacks.set(key, (stacks.get(key) ?? 0) + 1)
  }

  #moved(cpu: number, site: number, addr: number, kind: number, time: number): void {
    let word = this.#words.get(addr)
    if (word === undefined) {
      word = { loads: 0, stores: 0, time: 0, cpus: new Set(), sites: new Map() }
      this.#words.set(addr, word)
    }
    if ((KIND_FLAGS[kind] & WRITES) !== 0) word.stores++
    else word.loads++
    word.time += time
    word.cpus.add(cpu)
    word.sites.set(site, (word.sites.get(site) ?? 0) + 1)
  }

  /** Time of all accesses. */
  get total(): number {
    let all = 0
    for (const use of this.#uses.values()) all += use.time
    for (const after of this.#after.values()) all += after.time
    return all
  }

  get accesses(): number {
    let all = 0
    for (const use of this.#uses.values()) all += use.accesses
    for (const after of this.#after.values()) all += after.accesses
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
    const deal = (site: number, time: number, inner: number): void => {
      const seen = this.#stacks.get(site) ?? new Map([[siteNames(this.#sites[site]).join('\n'), 1]])
      const looks = [...seen.values()].reduce((sum, count) => sum + count, 0)
      for (const [key, count] of seen)
        all.push({ stack: key.split('\n').slice(inner), time: (time * count) / looks })
    }
    for (const [site, { time }] of this.#uses) deal(site, time, 0)
    // Functions that kbuild put in the place of their calls are left by then.
    for (const [site, { time }] of this.#after) deal(site, time, siteNames(this.#sites[site]).length - 1)
    return all
  }
}

/** The functions at a site, innermost first: those that kbuild put in place of their calls, and the one in which it stands. */
export function siteNames(site: Site): string[] {
  return [site.fn, ...(site.callers ?? []).map((caller) => caller.fn)]
}

/** Number of the line of a word. */
export function lineOf(addr: number): number {
  return addr >> LINE_SHIFT
}
