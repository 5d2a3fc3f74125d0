/**
 * A topology: which CPUs lie how near to one another, and what the hardware takes for what, in integer picoseconds. One
 * box is described; more boxes of the kind lie at its largest distance from one another.
 *
 * CPUs have places, neighbours near: a level with `cpus` is made of groups of that many consecutive places. Where
 * groups differ in their distance (hops between sockets), a matrix of level names says which level two of them have.
 * CPU numbers are places, or, where a core has several threads, go as in Linux: the first thread of each core, then the
 * second ones. Left out: bandwidth of links and memory, which node a page of memory lies on (memory is the near one).
 */

/** What it takes to have a line from, or take it away from, a CPU at this distance. Times in the topology's unit. */
export interface Level {
  readonly name: string
  /** CPUs of a group within which this is the greatest distance; absent: the matrix says who has it. */
  readonly cpus?: number
  /** Load of a line that the other CPU has for itself (modified or exclusive). */
  readonly load: number
  /** Load of a line that the other CPU, or the last-level cache there, shares. Default: load. */
  readonly loadShared?: number
  /** Store to a line that the other CPU has for itself. Default: load. */
  readonly store?: number
  /** Store to a line of which the furthest copy is there. Default: store. */
  readonly storeShared?: number
}

export interface Topology {
  readonly name: string
  readonly description: string
  /** Where each figure comes from. */
  readonly sources: readonly string[]
  readonly unit: 'ns' | 'cycles'
  /** Clock rate, for a unit of cycles. */
  readonly ghz?: number
  /** CPUs of one box. */
  readonly cpus: number
  /** Threads of a core, each a CPU; default 1. */
  readonly threads?: number
  /** From the nearest to the furthest. */
  readonly levels: readonly Level[]
  /** Distances between groups of `cpus` CPUs: names of levels, one row a group. */
  readonly between?: { readonly cpus: number; readonly distance: readonly (readonly string[])[] }
  readonly costs: {
    /** Plain instructions around one access. */
    readonly instructions: number
    /** An access to a line that the CPU has. */
    readonly hit: number
    /** What an atomic operation takes beside its access. */
    readonly atomic: number
    /** A line from the near last-level cache. */
    readonly llc: number
    /** A line from memory. */
    readonly memory: number
    /** Clearing, and copying, 4,096 bytes. */
    readonly clearPage: number
    readonly copyPage: number
    /** Entry of an exception and its return. */
    readonly exception: number
    /** Interrupting another CPU: what the sender is held up, and when the other one's handler begins. */
    readonly interruptSend: number
    readonly interruptDelivery: number
  }
  readonly caches: {
    /** Bytes of a CPU's own caches. */
    readonly private: number
    /** Bytes of a last-level cache, and CPUs that share it. */
    readonly llc: number
    readonly llcCpus: number
  }
}

/** A topology for a number of CPUs, as the clock reads it. Times in picoseconds. */
export interface Hardware {
  readonly cpus: number
  readonly levels: readonly string[]
  /** Level of the distance of two CPUs: row times cpus plus column. */
  readonly level: Uint8Array
  /** By level. */
  readonly load: Float64Array
  readonly loadShared: Float64Array
  readonly store: Float64Array
  readonly storeShared: Float64Array
  /**
   * Number of the last-level cache of each CPU; of each the first CPU, and its CPUs as bits in (cpus + 31) >> 5 words.
   */
  readonly domain: Uint16Array
  readonly domainFirst: Uint16Array
  readonly domainMask: Int32Array
  readonly costs: Topology['costs']
  /** Lines of a CPU's own caches (a power of two) and of a last-level cache. */
  readonly privateLines: number
  readonly llcLines: number
}

export const LINE_BYTES = 64
const PS_PER_NS = 1000

/** CPUs that a topology of `boxes` boxes has. */
export function cpusOf(topology: Topology, boxes: number): number {
  return topology.cpus * boxes
}

/**
 * What the clock needs for the first `cpus` CPUs of `boxes` boxes.
 * @param spread the CPUs lie as far apart as there is room, instead of side by side
 */
export function compileTopology(topology: Topology, boxes: number, cpus: number, spread = false): Hardware {
  const toPs = (value: number): number =>
    Math.round((topology.unit === 'cycles' ? value / topology.ghz! : value) * PS_PER_NS)
  const { levels, caches } = topology
  const furthest = levels.reduce((best, level, index) => (level.load >= levels[best].load ? index : best), 0)
  const level = new Uint8Array(cpus * cpus)
  const places = Array.from({ length: cpus }, (_, cpu) =>
    spread ? spreadPlaceOf(topology, boxes, cpu) : placeOf(topology, cpu),
  )
  for (let one = 0; one < cpus; one++)
    for (let other = 0; other < cpus; other++)
      level[one * cpus + other] = levelBetween(topology, places[one], places[other], furthest)
  const domains = [...new Set(places.map((place) => Math.floor(place / caches.llcCpus)))]
  const domain = Uint16Array.from(places, (place) => domains.indexOf(Math.floor(place / caches.llcCpus)))
  const words = (cpus + 31) >> 5
  const domainMask = new Int32Array(domains.length * words)
  domain.forEach((index, cpu) => (domainMask[index * words + (cpu >> 5)] |= 1 << (cpu & 31)))
  const costs = Object.fromEntries(
    Object.entries(topology.costs).map(([name, value]) => [name, toPs(value)]),
  ) as unknown as Topology['costs']
  return {
    cpus,
    levels: levels.map(({ name }) => name),
    level,
    load: Float64Array.from(levels, (l) => toPs(l.load)),
    loadShared: Float64Array.from(levels, (l) => toPs(l.loadShared ?? l.load)),
    store: Float64Array.from(levels, (l) => toPs(l.store ?? l.load)),
    storeShared: Float64Array.from(levels, (l) => toPs(l.storeShared ?? l.store ?? l.load)),
    domain,
    domainFirst: Uint16Array.from(domains, (_, index) => domain.indexOf(index)),
    domainMask,
    costs,
    privateLines: powerOfTwo(caches.private / LINE_BYTES),
    llcLines: Math.max(1, Math.floor(caches.llc / LINE_BYTES)),
  }
}

/** Where CPU `cpu` lies. */
function placeOf({ cpus, threads = 1 }: Topology, cpu: number): number {
  const cores = cpus / threads
  const box = Math.floor(cpu / cpus)
  const number = cpu % cpus
  return box * cpus + (number % cores) * threads + Math.floor(number / cores)
}

/**
 * Where CPU `cpu` lies when each goes where the fewest are: of the largest groups first, then of those within, as
 * Linux's scheduler looks for the idlest group (kernel/sched/fair.c, find_idlest_cpu).
 */
function spreadPlaceOf({ cpus, levels }: Topology, boxes: number, cpu: number): number {
  const sizes = [1, ...levels.flatMap((level) => level.cpus ?? [])].toSorted((left, right) => right - left)
  let place = 0
  let left = cpu
  let outer = cpus * boxes
  for (const size of sizes) {
    const groups = Math.floor(outer / size)
    place += (left % groups) * size
    left = Math.floor(left / groups)
    outer = size
  }
  return place
}

function levelBetween(topology: Topology, one: number, other: number, furthest: number): number {
  if (one === other) return 0
  const { levels, between } = topology
  if (Math.floor(one / topology.cpus) !== Math.floor(other / topology.cpus)) return furthest
  const within = levels.findIndex(
    ({ cpus }) => cpus !== undefined && Math.floor(one / cpus) === Math.floor(other / cpus),
  )
  if (within >= 0) return within
  // Validated: what no group joins, the matrix does.
  const row = between!.distance[Math.floor((one % topology.cpus) / between!.cpus)]
  const name = row[Math.floor((other % topology.cpus) / between!.cpus)]
  return levels.findIndex((level) => level.name === name)
}

function powerOfTwo(value: number): number {
  return 1 << (31 - Math.clz32(Math.max(64, Math.floor(value))))
}
