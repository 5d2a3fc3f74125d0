/** Which CPUs have an interrupt pending, and which would take it now. */
import { ALIVE, type Contexts } from './contexts.ts'

/** The layout symbols that interrupts need. */
export const INTERRUPT_SYMBOLS = [
  'PERCPU',
  'PERCPU_WORDS',
  'percpu$irq_pending',
  'percpu$irqs_off',
  'percpu$in_irq',
  'percpu$instruction',
] as const

export class Interrupts {
  readonly #contexts: Contexts
  readonly #percpu: number
  readonly #percpuWords: number
  readonly #irqPending: number
  readonly #irqsOff: number
  readonly #inIrq: number
  readonly #instruction: number

  constructor(contexts: Contexts, symbols: Readonly<Record<string, number>>) {
    this.#contexts = contexts
    this.#percpu = symbols['PERCPU']
    this.#percpuWords = symbols['PERCPU_WORDS']
    this.#irqPending = symbols['percpu$irq_pending']
    this.#irqsOff = symbols['percpu$irqs_off']
    this.#inIrq = symbols['percpu$in_irq']
    this.#instruction = symbols['percpu$instruction']
  }

  /** Whether the CPU would take an interrupt now, and has one pending. */
  isDue(cpu: number): boolean {
    if (this.#contexts.state[cpu] !== ALIVE || this.#pending(cpu) === 0) return false
    const { memory } = this.#contexts
    const base = this.#percpu + cpu * this.#percpuWords
    return (
      memory[base + this.#irqsOff] === 0 &&
      memory[base + this.#inIrq] === 0 &&
      memory[base + this.#instruction] === 0
    )
  }

  /** Whether any CPU has an interrupt pending or takes one. */
  anyPending(): boolean {
    const { cpus, state } = this.#contexts
    for (let cpu = 0; cpu < cpus; cpu++)
      if (this.#pending(cpu) !== 0 || state[cpus + cpu] === ALIVE) return true
    return false
  }

  /** Whether a write to `p` asks a CPU for an interrupt. */
  isRequest(p: number): boolean {
    const distance = p - this.#percpu
    if (distance < 0 || distance >= this.#contexts.cpus * this.#percpuWords) return false
    const offset = (distance % this.#percpuWords) - this.#irqPending
    return offset === 0 || offset === 1
  }

  /** The bits of who asks the CPU: one word for up to 32 CPUs, else two. */
  #pending(cpu: number): number {
    const { memory, cpus } = this.#contexts
    const base = this.#percpu + cpu * this.#percpuWords + this.#irqPending
    return memory[base] | (cpus > 32 ? memory[base + 1] : 0)
  }
}
