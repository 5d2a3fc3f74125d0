/**
 * Which words more than one CPU touches and one writes: only accesses to these are scheduling points. What an execution
 * shows is learned, and shared from the next one on if whoever runs the machine says so.
 */
import { isRange, wordsOf } from '../../step/effect.ts'
import { Kind, KIND_FLAGS, WRITES } from '../../step/kinds.ts'

/** Bits of what is learned of a word: the first CPU + 1, and the rest. */
const TOUCH_CPU = 127
const TOUCH_WRITTEN = 128
const TOUCH_BOTH = 256
const TOUCH_KNOWN = 512

export class SharedWords {
  /** 1 for shared words. */
  readonly shared: Uint8Array
  /**
   * Words that were seen to be shared since the machine was made, and are not in `shared` yet unless share() put them
   * there.
   */
  readonly learned: number[] = []
  /** By word: who touched it, and in which execution. */
  readonly #touch: Uint16Array
  readonly #epoch: Int32Array

  constructor(words: number) {
    this.shared = new Uint8Array(words)
    this.#touch = new Uint16Array(words)
    this.#epoch = new Int32Array(words)
  }

  share(words: Iterable<number>): void {
    for (const word of words) this.shared[word] = 1
  }

  /** Whether none of the words that a range touches behind its first one is shared. */
  isPrivateRange(kind: number, addr: number, a: number, b: number): boolean {
    const { shared } = this
    if (kind === Kind.CLEAR) {
      for (let i = 1; i < a; i++) if (shared[addr + i] !== 0) return false
    } else if (kind === Kind.COPY)
      for (let i = 0; i < b; i++) if (shared[addr + i] !== 0 || shared[a + i] !== 0) return false
    return true
  }

  /** Learns from a step that CPU `cpu` announces in execution `now`. */
  learn(cpu: number, now: number, kind: number, addr: number, a: number, b: number): void {
    const writes = (KIND_FLAGS[kind] & WRITES) !== 0
    if (!isRange(kind)) {
      this.#touched(cpu, now, addr, writes)
      return
    }
    const words = wordsOf(kind, a, b)
    for (let i = 0; i < words; i++) this.#touched(cpu, now, addr + i, writes)
    if (kind === Kind.COPY) for (let i = 0; i < words; i++) this.#touched(cpu, now, a + i, false)
  }

  #touched(cpu: number, now: number, word: number, writes: boolean): void {
    let touch = this.#touch[word]
    if ((touch & TOUCH_KNOWN) !== 0) return
    if (this.#epoch[word] !== now) {
      this.#epoch[word] = now
      touch = cpu + 1
    }
    if (writes) touch |= TOUCH_WRITTEN
    if ((touch & TOUCH_CPU) !== cpu + 1) touch |= TOUCH_BOTH
    if ((touch & (TOUCH_WRITTEN | TOUCH_BOTH)) === (TOUCH_WRITTEN | TOUCH_BOTH)) {
      touch |= TOUCH_KNOWN
      this.learned.push(word)
    }
    this.#touch[word] = touch
  }
}
