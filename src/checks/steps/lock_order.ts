// The graph of lock order: which class was taken while which was held. What counts is the current execution, so that
// its schedule alone shows a cycle again; the orders of earlier ones only save time: while all of them together make no
// cycle, no execution does. Leaves out who asks and how it is reported: lockdep.ts.

/** Where an order was seen first. */
export interface Dependency {
  readonly from: number
  readonly to: number
  /** The kernel's stack when `to` was taken, innermost function first. */
  readonly stack: readonly string[]
}

/** A dependency, and the last execution that showed it. */
interface Edge extends Dependency {
  execution: number
}

export class LockOrder {
  readonly #after = new Map<number, Map<number, Edge>>()
  #execution = 0
  /** Whether the orders of all executions make a cycle. */
  #cyclic = false

  /** A new execution begins. */
  begin(): void {
    this.#execution++
  }

  /** Notes an order. False if it may close a cycle: then closes() tells. */
  note(from: number, to: number): boolean {
    const edge = this.#after.get(from)?.get(to)
    if (edge === undefined) return false
    if (edge.execution === this.#execution) return true
    edge.execution = this.#execution
    return !this.#cyclic
  }

  /**
   * Adds an order. The chain of orders of this execution that leads the other way, from `to` to `from`; undefined:
   * none.
   */
  closes(dependency: Dependency): Dependency[] | undefined {
    const { from, to } = dependency
    if (!this.#cyclic) this.#cyclic = this.#path(to, from, false) !== undefined
    let edges = this.#after.get(from)
    if (edges === undefined) this.#after.set(from, (edges = new Map()))
    const known = edges.get(to)
    if (known === undefined) edges.set(to, { ...dependency, execution: this.#execution })
    return this.#cyclic ? this.#path(to, from, true) : undefined
  }

  #path(from: number, to: number, now: boolean): Dependency[] | undefined {
    return this.search([from], (key) => key === to, now)
  }

  /**
   * The shortest chain of orders that leads from one of some classes to one that `found` accepts; `now`: of this
   * execution only.
   */
  search(from: readonly number[], found: (key: number) => boolean, now: boolean): Dependency[] | undefined {
    const reached = new Map<number, Dependency | undefined>(from.map((key) => [key, undefined]))
    const queue = [...reached.keys()]
    for (let at = 0; at < queue.length; at++) {
      for (const [next, edge] of this.#after.get(queue[at]) ?? []) {
        if (reached.has(next) || (now && edge.execution !== this.#execution)) continue
        reached.set(next, edge)
        if (found(next)) return chain(reached, next)
        queue.push(next)
      }
    }
    return undefined
  }
}

function chain(reached: ReadonlyMap<number, Dependency | undefined>, to: number): Dependency[] {
  const edges: Dependency[] = []
  for (let edge = reached.get(to); edge !== undefined; edge = reached.get(edge.from)) edges.unshift(edge)
  return edges
}
