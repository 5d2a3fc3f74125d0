/**
 * What clearing or copying many words costs: what is overwritten is not fetched, and the time goes by bytes; pages and
 * tables count as Linux's do.
 */
import { LINE_SHIFT, type Lines } from './lines.ts'
import { type Hardware, LINE_BYTES } from './topology.ts'

/** The layout symbols that ranges need. */
export const RANGE_SYMBOLS = ['CONTENT', 'PGTABLES', 'CONTENT_WORDS', 'PTRS_PER_TABLE'] as const

const PAGE_BYTES = 4096

export class Ranges {
  readonly #lines: Lines
  readonly #costs: Hardware['costs']
  readonly #content: number
  readonly #tables: number
  readonly #contentWords: number
  readonly #tableWords: number

  constructor(lines: Lines, costs: Hardware['costs'], symbols: Readonly<Record<string, number>>) {
    this.#lines = lines
    this.#costs = costs
    this.#content = symbols['CONTENT']
    this.#tables = symbols['PGTABLES']
    this.#contentWords = symbols['CONTENT_WORDS']
    this.#tableWords = symbols['PTRS_PER_TABLE']
  }

  /** The CPU clears `words` words at `to`: picoseconds. */
  clear(cpu: number, to: number, words: number): number {
    const cost = (this.#costs.clearPage * this.#bytes(to, words)) / PAGE_BYTES
    this.#claim(cpu, to, words)
    this.#passRest(cpu, to, words)
    return cost
  }

  /** The CPU copies `words` words from `from` to `to`: picoseconds. */
  copy(cpu: number, to: number, from: number, words: number): number {
    const lines = this.#lines
    let cost = (this.#costs.copyPage * this.#bytes(to, words)) / PAGE_BYTES
    this.#claim(cpu, to, words)
    for (let line = from >> LINE_SHIFT; line <= (from + words - 1) >> LINE_SHIFT; line++) {
      if (!lines.has(cpu, line)) cost += lines.read(cpu, line)
      lines.touch(cpu, line)
    }
    this.#passRest(cpu, from, words)
    this.#passRest(cpu, to, words)
    return cost
  }

  #claim(cpu: number, to: number, words: number): void {
    const last = (to + words - 1) >> LINE_SHIFT
    for (let line = to >> LINE_SHIFT; line <= last; line++) {
      this.#lines.claim(cpu, line)
      this.#lines.touch(cpu, line)
    }
  }

  /**
   * What Linux has in the place of `words` words at `p` and the model has not goes through the CPU's caches all the
   * same.
   */
  #passRest(cpu: number, p: number, words: number): void {
    const bytes = this.#bytes(p, words)
    const here = ((p + words - 1) >> LINE_SHIFT) - (p >> LINE_SHIFT) + 1
    const rest = Math.ceil(bytes / LINE_BYTES) - here
    if (rest > 0) this.#lines.pass(cpu, Math.floor((p / words) * (bytes / LINE_BYTES)), rest)
  }

  /** Bytes that Linux would have in the place of `words` words at `p`. */
  #bytes(p: number, words: number): number {
    if (p >= this.#content) return (words / this.#contentWords) * PAGE_BYTES
    return p >= this.#tables ? (words / this.#tableWords) * PAGE_BYTES : words * 4
  }
}
