/** The oracle's memory as setup left it: few words, all put back before each execution. */
export class OracleBase {
  readonly #oracle: Int32Array
  readonly #base: Int32Array

  /**
   * The words that setup has written; tables of address spaces that come later lie behind them (oracle[1] says where).
   */
  constructor(oracle: Int32Array) {
    let used = oracle.length
    while (used > 0 && oracle[used - 1] === 0) used--
    this.#oracle = oracle
    this.#base = oracle.slice(0, Math.min(oracle.length, Math.max(used, oracle[1]) + 1))
  }

  restore(): void {
    const oracle = this.#oracle
    const base = this.#base
    if (base.length > 32) oracle.set(base)
    // For so few, set() takes longer.
    else for (let i = 0; i < base.length; i++) oracle[i] = base[i]
  }
}
