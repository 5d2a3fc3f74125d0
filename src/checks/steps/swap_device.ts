// E4, second half: a swap device that is gone. Whoever looks at its swap map, its swap cache or its slots' contents
// must have it held (get_swap_device), or have an entry or a locked page of it, which swapoff waits for: when the
// device is off, nobody touches them but who lays it out anew. Leaves out who holds what as long as it is on.
import { swapMapText } from '../../inspect/swap_entries.ts'
import type { Step, StepCheck, StepCheckKind } from './check.ts'
import type { Watch } from './watch.ts'
import { Word, wordSet } from './words.ts'

const NAME = 'swap-device'
const SETUP = ['setup_swap_map']

export const swapDevice: StepCheckKind = {
  id: 'E4',
  name: NAME,
  description: 'Nobody touches the swap map, the swap cache or the slots of a swap device that is gone.',
  cost: 'some 5 ns an access to them',
  create: (watch) => new SwapDevice(watch),
}

class SwapDevice implements StepCheck {
  readonly reads = wordSet(Word.SWAP_MAP, Word.SWAP_DATA)
  readonly writes = wordSet(Word.SWAP_MAP, Word.SWAP_DATA)
  readonly #watch: Watch
  readonly #setup: Uint8Array

  constructor(watch: Watch) {
    this.#watch = watch
    this.#setup = watch.sites.of(NAME, SETUP)
  }

  begin(): void {}

  step({ context, addr, site }: Step): void {
    const { s, memory } = this.#watch
    if (this.#setup[site] === 1) return
    const slot = this.#slotOf(addr)
    if (slot < 0) return
    const device = Math.trunc(slot / s.SWAPFILE_SLOTS)
    if (memory[s.SWAP_INFO + device * s.SWAP_INFO_WORDS + s.swap_info$max] !== 0) return
    const what = `slot ${device}:${slot % s.SWAPFILE_SLOTS}, swap map ${swapMapText(s, memory[s.SWAP_MAP + slot])}`
    this.#watch.fail(
      NAME,
      context,
      site,
      `${this.#watch.name(addr)} is touched, and its device is off (${what})`,
    )
  }

  /** Number of the slot that a word is of; -1: of none. */
  #slotOf(addr: number): number {
    const { s } = this.#watch
    if (addr < s.SWAP_CACHE) return addr - s.SWAP_MAP
    if (addr < s.SWAP_FREE) return addr - s.SWAP_CACHE
    return addr < s.SWAP_CONTENT ? -1 : Math.trunc((addr - s.SWAP_CONTENT) / s.CONTENT_WORDS)
  }
}
