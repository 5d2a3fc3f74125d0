/**
 * The CPUs' interrupt requests: when one arrives, whether the CPU takes any now, and which CPU a write asks. Leaves out
 * what sending and taking one costs.
 */

/** The layout symbols that interrupts need. */
export const INTERRUPT_SYMBOLS = [
  'PERCPU',
  'PERCPU_WORDS',
  'CPUMASK_WORDS',
  'percpu$irq_pending',
  'percpu$irqs_off',
  'percpu$in_irq',
  'percpu$instruction',
] as const

export class ClockInterrupts {
  /** By CPU: when an interrupt arrives, in picoseconds; Infinity: none was sent. */
  readonly arrival: Float64Array
  readonly #memory: Int32Array
  readonly #percpu: number
  readonly #percpuWords: number
  readonly #cpumaskWords: number
  readonly #irqPending: number
  readonly #irqsOff: number
  readonly #inIrq: number
  readonly #instruction: number

  constructor(memory: Int32Array, cpus: number, symbols: Readonly<Record<string, number>>) {
    this.arrival = new Float64Array(cpus).fill(Infinity)
    this.#memory = memory
    this.#percpu = symbols['PERCPU']
    this.#percpuWords = symbols['PERCPU_WORDS']
    this.#cpumaskWords = symbols['CPUMASK_WORDS']
    this.#irqPending = symbols['percpu$irq_pending']
    this.#irqsOff = symbols['percpu$irqs_off']
    this.#inIrq = symbols['percpu$in_irq']
    this.#instruction = symbols['percpu$instruction']
  }

  /** Whether the CPU would take an interrupt now. */
  areOn(cpu: number): boolean {
    const memory = this.#memory
    const base = this.#percpu + cpu * this.#percpuWords
    return (
      memory[base + this.#irqsOff] === 0 &&
      memory[base + this.#inIrq] === 0 &&
      memory[base + this.#instruction] === 0
    )
  }

  /** Whether anybody asks the CPU for an interrupt. */
  isPending(cpu: number): boolean {
    const first = this.#percpu + cpu * this.#percpuWords + this.#irqPending
    for (let word = 0; word < this.#cpumaskWords; word++) if (this.#memory[first + word] !== 0) return true
    return false
  }

  /** The CPU that a write to the word at `p` asks for an interrupt; -1: none. */
  asked(p: number): number {
    const distance = p - this.#percpu
    const cpu = Math.floor(distance / this.#percpuWords)
    if (distance < 0 || cpu >= this.arrival.length) return -1
    const offset = distance - cpu * this.#percpuWords - this.#irqPending
    return offset >= 0 && offset < this.#cpumaskWords ? cpu : -1
  }
}
