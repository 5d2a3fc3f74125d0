// E4: the swap map. A slot comes into use as one that has a page in the swap cache and no entry, gains and loses one
// use at a time, and is freed only without any; its word is written only under its cluster's lock, and only while its
// device is on. Leaves out whether the uses equal the entries: at rest that is Q4.
import { swapMapText } from '../../inspect/swap_entries.ts'
import { Kind } from '../../step/kinds.ts'
import type { Step, StepCheck, StepCheckKind } from './check.ts'
import type { Watch } from './watch.ts'
import { Word, wordSet } from './words.ts'

const NAME = 'swap-map'
/** Who lays out and takes down a device's map, with nobody using it. */
const SETUP = ['setup_swap_map']

export const swapMap: StepCheckKind = {
  id: 'E4',
  name: NAME,
  description:
    'A swap slot is taken from none to SWAP_HAS_CACHE, gains and loses one use at a time under its ' +
    'cluster lock, and is freed only when it has none.',
  cost: 'some 10 ns a change of a swap map',
  create: (watch) => new SwapMap(watch),
}

class SwapMap implements StepCheck {
  readonly reads = 0
  readonly writes = wordSet(Word.SWAP_MAP)
  readonly #watch: Watch
  readonly #setup: Uint8Array
  /** By context: locks of clusters that it holds. */
  readonly #held: number[][]

  constructor(watch: Watch) {
    this.#watch = watch
    this.#setup = watch.sites.of(NAME, SETUP)
    this.#held = Array.from({ length: 2 * watch.cpus }, () => [])
  }

  begin(): void {
    for (const held of this.#held) held.length = 0
  }

  step({ context, kind, addr, old, site }: Step): void {
    const { s, memory } = this.#watch
    const value = memory[addr]
    if (value === old || kind === Kind.CLEAR || this.#setup[site] === 1) return
    const slot = addr - s.SWAP_MAP
    const device = Math.floor(slot / s.SWAPFILE_SLOTS)
    const fail = (text: string): never =>
      this.#watch.fail(
        NAME,
        context,
        site,
        `swap_map ${device}:${slot % s.SWAPFILE_SLOTS} ${swapMapText(s, old)} -> ${swapMapText(s, value)}: ${text}`,
      )
    const lock = s.SWAP_CLUSTERS + Math.floor(slot / s.SWAPFILE_CLUSTER) * s.SWAP_CLUSTER_WORDS
    if (!this.#held[context].includes(lock + s.swap_cluster$lock)) fail("written without its cluster's lock")
    if (memory[s.SWAP_INFO + device * s.SWAP_INFO_WORDS + s.swap_info$max] === 0) fail('its device is off')
    if (old === 0 && value !== s.SWAP_HAS_CACHE) fail('a free slot gains a use')
    if (value === 0 && old !== s.SWAP_HAS_CACHE) fail('a slot is freed that is in use')
    const before = old & ~s.SWAP_HAS_CACHE
    const after = value & ~s.SWAP_HAS_CACHE
    if (before !== after && (old ^ value) & s.SWAP_HAS_CACHE && after !== 0 && before !== 0)
      fail('uses and SWAP_HAS_CACHE change at once')
    if (!this.#neighbours(before, after)) fail('more than one use gained or lost')
  }

  /** Whether one use lies between two counts; above SWAP_MAP_MAX the digit starts anew and COUNT_CONTINUED is set. */
  #neighbours(before: number, after: number): boolean {
    const { SWAP_MAP_MAX: max, COUNT_CONTINUED: continued } = this.#watch.s
    const low = Math.min(before & ~continued, after & ~continued)
    const high = Math.max(before & ~continued, after & ~continued)
    return high - low <= 1 || (low === 0 && high === max && ((before | after) & continued) !== 0)
  }

  lockAcquire(context: number, lock: number): void {
    const { s } = this.#watch
    if (lock >= s.SWAP_CLUSTERS && lock < s.SWAP_MAP) this.#held[context].push(lock)
  }

  lockRelease(context: number, lock: number): void {
    const held = this.#held[context]
    const at = held.indexOf(lock)
    if (at >= 0) held.splice(at, 1)
  }
}
