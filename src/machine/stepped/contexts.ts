/**
 * Where each context stands: its pending step and its generator, and which one runs. A context is what can be run: 0 to
 * cpus - 1 are the CPUs, cpus + c is CPU c taking its pending interrupts (scheduler.ts).
 */
import { waits } from '../../step/effect.ts'
import { BLOCKS, Kind, KIND_FLAGS } from '../../step/kinds.ts'

/** Where the generator of a context stands. */
export const UNBORN = 0
export const ALIVE = 1
export const DONE = 2

export class Contexts {
  readonly cpus: number
  readonly memory: Int32Array
  readonly kind: Int32Array
  readonly addr: Int32Array
  readonly a: Int32Array
  readonly b: Int32Array
  readonly site: Int32Array
  readonly points: Int32Array
  readonly state: Uint8Array
  /** 1 for a context that was notified while it halted. */
  readonly notified: Uint8Array
  readonly generators: (Generator<unknown, unknown> | undefined)[]
  /** The context that runs, its CPU, and that one's area. */
  current = 0
  cpu = 0
  cpuBase = 0
  readonly #percpu: number
  readonly #percpuWords: number

  constructor(cpus: number, memory: Int32Array, percpu: number, percpuWords: number) {
    const contexts = 2 * cpus
    this.cpus = cpus
    this.memory = memory
    this.kind = new Int32Array(contexts)
    this.addr = new Int32Array(contexts)
    this.a = new Int32Array(contexts)
    this.b = new Int32Array(contexts)
    this.site = new Int32Array(contexts)
    this.points = new Int32Array(contexts)
    this.state = new Uint8Array(contexts)
    this.notified = new Uint8Array(contexts)
    this.generators = Array.from({ length: contexts }, () => undefined)
    this.#percpu = percpu
    this.#percpuWords = percpuWords
    this.cpuBase = percpu
  }

  /** Makes `context` the one that runs. */
  enter(context: number): void {
    this.current = context
    this.cpu = context < this.cpus ? context : context - this.cpus
    this.cpuBase = this.#percpu + this.cpu * this.#percpuWords
  }

  /** Whether the pending step of the context cannot be taken now. One that has not begun has no step. */
  isBlocked(context: number): boolean {
    const kind = this.kind[context]
    return (KIND_FLAGS[kind] & BLOCKS) !== 0 && this.#waits(context, kind)
  }

  #waits(context: number, kind: number): boolean {
    if (kind === Kind.HALT && this.notified[context] !== 0) return false
    return waits(kind, this.memory[this.addr[context]], this.a[context])
  }

  /** Wakes one context that halts on the word at `p`. */
  notify(p: number): void {
    for (let c = 0; c < this.kind.length; c++)
      if (this.state[c] === ALIVE && this.kind[c] === Kind.HALT && this.addr[c] === p) {
        this.notified[c] = 1
        return
      }
  }

  /** Whether another context than the running one waits for the lock at `lock`. */
  isContended(lock: number): boolean {
    for (let c = 0; c < this.kind.length; c++)
      if (
        c !== this.current &&
        this.state[c] === ALIVE &&
        this.kind[c] === Kind.LOCK &&
        this.addr[c] === lock
      )
        return true
    return false
  }

  /** Nobody has begun. */
  reset(): void {
    // For so few, fill() takes longer.
    for (let c = 0; c < 2 * this.cpus; c++) {
      this.kind[c] = 0
      this.addr[c] = 0
      this.a[c] = 0
      this.b[c] = 0
      this.site[c] = 0
      this.points[c] = 0
      this.state[c] = UNBORN
      this.notified[c] = 0
      this.generators[c] = undefined
    }
  }
}
