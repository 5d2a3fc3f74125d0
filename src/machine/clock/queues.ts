/**
 * Who waits for a line while it serves a transfer, and who is next: drawn from those that wait when the transfer before
 * begins. A directory answers requests for a busy line as they get through to it, which is in no order of their own;
 * first come, first served would let CPUs that fell into step once stay in step. Whatever the number of CPUs, a draw
 * takes one random number.
 */
export class LineQueues {
  /** By line: its queue, plus 1; 0: nobody wants it. No more lines than CPUs have one at a time. */
  readonly #queue: Uint16Array
  readonly #unused: Uint16Array
  #unusedCount: number
  /** By queue: who is next, plus 1, 0: nobody is yet; how many wait behind; and they, `cpus` places a queue. */
  readonly #next: Uint16Array
  readonly #size: Uint16Array
  readonly #waiting: Uint16Array
  readonly #cpus: number
  readonly #draw: (bound: number) => number

  /** @param draw a random number of 0 to bound - 1 */
  constructor(lines: number, cpus: number, draw: (bound: number) => number) {
    this.#queue = new Uint16Array(lines)
    this.#unused = Uint16Array.from({ length: cpus }, (_, queue) => queue + 1)
    this.#unusedCount = cpus
    this.#next = new Uint16Array(cpus + 1)
    this.#size = new Uint16Array(cpus + 1)
    this.#waiting = new Uint16Array((cpus + 1) * cpus)
    this.#cpus = cpus
    this.#draw = draw
  }

  /** Whether nobody waits for the line. */
  isEmpty(line: number): boolean {
    return this.#queue[line] === 0
  }

  /** Whether it is the CPU's turn to have the line, for which it waits. */
  isNext(line: number, cpu: number): boolean {
    return this.#next[this.#queue[line]] === cpu + 1
  }

  /** The CPU has its turn at once, since nobody waits. */
  begin(line: number, cpu: number): void {
    const queue = this.#unused[--this.#unusedCount]
    this.#queue[line] = queue
    this.#next[queue] = cpu + 1
  }

  /** The CPU, which waits for nothing, waits for the line from now on. */
  join(line: number, cpu: number): void {
    const queue = (this.#queue[line] ||= this.#unused[--this.#unusedCount])
    this.#waiting[queue * this.#cpus + this.#size[queue]++] = cpu
  }

  /** Draws who is next, where nobody is and somebody waits. */
  call(line: number): number {
    const queue = this.#queue[line]
    const first = queue * this.#cpus
    const at = first + this.#draw(this.#size[queue])
    const cpu = this.#waiting[at]
    this.#waiting[at] = this.#waiting[first + --this.#size[queue]]
    this.#next[queue] = cpu + 1
    return cpu
  }

  /** Whoever is next has the line. Returns whether others wait, of whom one is to be called. */
  serve(line: number): boolean {
    const queue = this.#queue[line]
    this.#next[queue] = 0
    if (this.#size[queue] > 0) return true
    this.#queue[line] = 0
    this.#unused[this.#unusedCount++] = queue
    return false
  }
}
