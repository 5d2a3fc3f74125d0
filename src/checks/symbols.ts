// The kernel's symbols as the checks read them: layouts and limits by name. Types only; nothing of the kernel runs here.
import type * as config from '../kernel/config.ts'
import type * as limits from '../kernel/arch/limits.ts'
import type * as memoryMap from '../kernel/arch/memory_map.ts'
import type * as percpu from '../kernel/arch/percpu.ts'
import type * as pgtable from '../kernel/arch/pgtable.ts'
import type * as structs from '../kernel/arch/structs.ts'
import type * as slab from '../kernel/mm/slab.ts'

type Numbers<T> = { readonly [K in keyof T as T[K] extends number ? K : never]: number }

/** What an image's symbol table (KernelImage.symbols) holds, as far as the checks use it. */
export type KernelSymbols = Numbers<
  typeof config &
    typeof limits &
    typeof memoryMap &
    typeof percpu &
    typeof pgtable &
    typeof structs &
    Pick<typeof slab, 'POISON_FREE'>
>
