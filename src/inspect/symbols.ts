// An image's symbol table (its System.map) as the host reads it. Leaves out where the table comes from: src/kbuild.

/** Name of a constant of the kernel -> its value: layouts (`page$_refcount`), addresses (`MEMMAP`), limits, flags. */
export type KernelSymbols = Readonly<Record<string, number>>

/** A resting machine as observers see it: its memory in words, and where things lie in it. */
export interface MachineView {
  readonly memory: Int32Array
  readonly symbols: KernelSymbols
}

/** The value of a symbol. Throws an Error (a defect of the project) when the image has none of that name. */
export function symbol(symbols: KernelSymbols, name: string): number {
  const value = symbols[name]
  if (value === undefined) throw new Error(`the kernel image has no symbol ${name}`)
  return value
}

/** Word address of the field `field` (a `percpu$` name) of a CPU. */
export function perCpu(symbols: KernelSymbols, cpu: number, field: string): number {
  return symbol(symbols, 'PERCPU') + cpu * symbol(symbols, 'PERCPU_WORDS') + symbol(symbols, field)
}
