/** Who sleeps until somebody writes to a line: a list by line, the last that came first. */
export class Sleepers {
  /** By line the first that sleeps on it, CPU + 1; 0: none. */
  readonly first: Uint16Array
  /** By CPU the one behind. */
  readonly #next: Uint16Array

  constructor(lines: number, cpus: number) {
    this.first = new Uint16Array(lines)
    this.#next = new Uint16Array(cpus)
  }

  /** The CPU, which sleeps on no line, sleeps on this one. */
  add(line: number, cpu: number): void {
    this.#next[cpu] = this.first[line]
    this.first[line] = cpu + 1
  }

  /** The CPU, which sleeps on the line, does so no more. */
  remove(line: number, cpu: number): void {
    const next = this.#next
    if (this.first[line] === cpu + 1) this.first[line] = next[cpu]
    else {
      let before = this.first[line] - 1
      while (next[before] !== cpu + 1) before = next[before] - 1
      next[before] = next[cpu]
    }
  }

  /** Whoever is behind a CPU on its line, CPU + 1; 0: nobody. */
  behind(cpu: number): number {
    return this.#next[cpu]
  }
}
