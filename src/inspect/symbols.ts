// An image's symbol table (its System.map) as the host reads it. Leaves out where the table comes from: src/kbuild. Of
// the kernel only types: nothing of it runs here.
import type * as config from '../kernel/config.ts'
import type * as limits from '../kernel/arch/limits.ts'
import type * as memoryMap from '../kernel/arch/memory_map.ts'
import type * as observe from '../kernel/arch/observe.ts'
import type * as percpu from '../kernel/arch/percpu.ts'
import type * as pgtable from '../kernel/arch/pgtable.ts'
import type * as structs from '../kernel/arch/structs.ts'
import type * as swapops from '../kernel/arch/swapops.ts'
import type * as ptlMode from '../kernel/locking/ptl_mode.ts'
import type * as ptlock from '../kernel/locking/ptlock/pmd.ts'
import type * as ptlockPte from '../kernel/locking/ptlock/ops/pte.ts'
import type * as rwsem from '../kernel/locking/rwsem.ts'
import type * as unmappedArea from '../kernel/mm/mmap/get_unmapped_area.ts'
import type * as slab from '../kernel/mm/slab.ts'
import type * as vmstat from '../kernel/mm/vmstat.ts'

/** Name of a constant of the kernel -> its value: layouts (`page$_refcount`), addresses (`MEMMAP`), limits, flags. */
export type SymbolTable = Readonly<Record<string, number>>

type Numbers<T> = { readonly [K in keyof T as T[K] extends number ? K : never]: number }

/** The same table by the names that a whole kernel has. */
export type KernelSymbols = Numbers<
  typeof config &
    typeof limits &
    typeof memoryMap &
    typeof observe &
    typeof percpu &
    typeof pgtable &
    typeof structs &
    typeof swapops &
    typeof ptlMode &
    Pick<typeof ptlock, 'PTLOCK_WORDS'> &
    Pick<typeof ptlockPte, 'PTL_RANGE'> &
    Pick<typeof rwsem, 'RWSEM_WRITER_LOCKED'> &
    Pick<typeof unmappedArea, 'mmap_min_addr'> &
    Pick<typeof slab, 'POISON_FREE'> &
    Pick<
      typeof vmstat,
      | 'ALLOC_FAILED'
      | 'ALLOCSTALL'
      | 'ENOMEM_CALLS'
      | 'ENOMEM_REFUSED'
      | 'MEMCG_MAX'
      | 'OOM_FAULTS'
      | 'OOM_KILL'
      | 'SWAPIN_GONE'
    >
>

/** A machine as observers see it: its memory in words, and where things lie in it. */
export interface MachineView {
  readonly memory: Int32Array
  readonly symbols: SymbolTable
  /** The class that a lock was given (a LOCK_CLASS_ constant), where the machine knows. */
  readonly lockClasses?: { get(lock: number): number | undefined }
  /** For a machine that knows; without it all may have been written. */
  readonly since?: KeptState | undefined
}

/** A state of the memory that a machine keeps, and the words that were written since. */
export interface KeptState {
  readonly memory: Int32Array
  readonly written: Int32Array
}

/** The value of a symbol. Throws an Error (a defect of the project) when the image has none of that name. */
export function symbol(symbols: SymbolTable, name: string): number {
  const value = symbols[name]
  if (value === undefined) throw new Error(`the kernel image has no symbol ${name}`)
  return value
}

/** Word address of the field `field` (a `percpu$` name) of a CPU. */
export function perCpu(symbols: SymbolTable, cpu: number, field: string): number {
  return symbol(symbols, 'PERCPU') + cpu * symbol(symbols, 'PERCPU_WORDS') + symbol(symbols, field)
}
