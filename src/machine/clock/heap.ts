/**
 * The CPUs that can go on, ordered by their clocks: a binary heap. Equal clocks go by a rank drawn from the seed. The
 * CPU that runs stays at the root whatever its clock says, until it gives way (settle) or leaves.
 */
export class ClockHeap {
  /** Time of each CPU in picoseconds. */
  readonly clock: Float64Array
  readonly #rank: Uint16Array
  readonly #heap: Uint16Array
  #size = 0

  /** @param rank what decides between equal clocks, by CPU; all different */
  constructor(clock: Float64Array, rank: Uint16Array) {
    this.clock = clock
    this.#rank = rank
    this.#heap = new Uint16Array(clock.length)
  }

  get size(): number {
    return this.#size
  }

  /** The CPU at the root; only if there is one. */
  get first(): number {
    return this.#heap[0]
  }

  /** The lowest clock of those that are not at the root; Infinity if there are none. */
  get second(): number {
    const heap = this.#heap
    const { clock } = this
    if (this.#size < 2) return Infinity
    const left = clock[heap[1]]
    return this.#size > 2 ? Math.min(left, clock[heap[2]]) : left
  }

  /** Adds a CPU; the root stays where it is. */
  insert(cpu: number): void {
    const heap = this.#heap
    let at = this.#size++
    while (at > 2) {
      const parent = (at - 1) >> 1
      if (!this.#before(cpu, heap[parent])) break
      heap[at] = heap[parent]
      at = parent
    }
    heap[at] = cpu
  }

  /** Finds the place of the CPU at the root anew. */
  settle(): void {
    const heap = this.#heap
    const size = this.#size
    const cpu = heap[0]
    let at = 0
    for (;;) {
      let child = 2 * at + 1
      if (child >= size) break
      if (child + 1 < size && this.#before(heap[child + 1], heap[child])) child++
      if (!this.#before(heap[child], cpu)) break
      heap[at] = heap[child]
      at = child
    }
    heap[at] = cpu
  }

  /** Takes the CPU at the root out. */
  leave(): void {
    this.#heap[0] = this.#heap[--this.#size]
    if (this.#size > 1) this.settle()
  }

  #before(one: number, other: number): boolean {
    const left = this.clock[one]
    const right = this.clock[other]
    return left < right || (left === right && this.#rank[one] < this.#rank[other])
  }
}
