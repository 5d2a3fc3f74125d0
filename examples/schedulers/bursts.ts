/**
 * A scheduler: whoever runs goes on, seven times out of eight. Run it with `mmtorture hunt --scheduler
 * examples/schedulers/bursts.ts`.
 */
interface Random {
  /** An integer of 0 to bound - 1. */
  below(bound: number): number
}

export default class Bursts {
  readonly name = 'bursts'
  #random: Random = { below: () => 0 }

  begin(_execution: number, random: Random): void {
    this.#random = random
  }

  /** One of runnable[0] to runnable[n - 1]; `current` took the last step, and need not be among them. */
  next(runnable: Int32Array, n: number, current: number): number {
    const goesOn = runnable.subarray(0, n).includes(current) && this.#random.below(8) !== 0
    return goesOn ? current : runnable[this.#random.below(n)]
  }
}
