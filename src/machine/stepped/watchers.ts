/** Whoever sees every step: one object, so that a step costs one call. */
import type { Observer } from '../../step/observer.ts'

export type StepWatcher = Required<Pick<Observer, 'step'>>

/** Those of `observers` that see every step, as one; undefined: none does. */
export function watcherOf(observers: readonly Observer[]): StepWatcher | undefined {
  const watchers = observers.filter((o): o is Observer & StepWatcher => o.step !== undefined)
  return watchers.length > 1 ? new Watchers(watchers) : watchers[0]
}

class Watchers implements StepWatcher {
  readonly #all: readonly StepWatcher[]

  constructor(all: readonly StepWatcher[]) {
    this.#all = all
  }

  step(
    context: number,
    kind: number,
    addr: number,
    a: number,
    b: number,
    old: number,
    result: number,
    site: number,
  ): void {
    for (const watcher of this.#all) watcher.step(context, kind, addr, a, b, old, result, site)
  }
}

/** The sites that took a step. */
export class SiteRecorder implements StepWatcher {
  readonly sites = new Set<number>()

  step(
    _context: number,
    _kind: number,
    _addr: number,
    _a: number,
    _b: number,
    _old: number,
    _result: number,
    site: number,
  ): void {
    this.sites.add(site)
  }
}
