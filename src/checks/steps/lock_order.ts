// The graph of lock order: which class was taken while which was held, over all executions. Leaves out who asks and how it is
// reported: lockdep.ts.

/** Where an order was seen first. */
export interface Dependency {
  readonly from: number
  readonly to: number
  /** The kernel's stack when `to` was taken, innermost function first. */
  readonly stack: readonly string[]
}

export class LockOrder {
  readonly #after = new Map<number, Map<number, Dependency>>()

  has(from: number, to: number): boolean {
    return this.#after.get(from)?.has(to) ?? false
  }

  add(dependency: Dependency): void {
    const { from, to } = dependency
    let edges = this.#after.get(from)
    if (edges === undefined) this.#after.set(from, (edges = new Map()))
    if (!edges.has(to)) edges.set(to, dependency)
  }

  /** The shortest chain of orders that leads from one class to another; undefined: none. */
  path(from: number, to: number): Dependency[] | undefined {
    const reached = new Map<number, Dependency | undefined>([[from, undefined]])
    const queue = [from]
    for (let at = 0; at < queue.length; at++) {
      for (const [next, edge] of this.#after.get(queue[at]) ?? []) {
        if (reached.has(next)) continue
        reached.set(next, edge)
        if (next === to) return chain(reached, to)
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
