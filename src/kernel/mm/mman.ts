/**
 * Flags of the calls that change a map (include/uapi/asm-generic/mman-common.h, include/uapi/linux/mman.h,
 * include/linux/mman.h, 6.1) and what they become in a VMA. Left out: what the model has no mechanism for (MAP_LOCKED,
 * MAP_GROWSDOWN, MAP_HUGETLB, MREMAP_DONTUNMAP, protection keys).
 */
import { VM_EXEC, VM_READ, VM_WRITE } from '../arch/structs.ts'

export const PROT_NONE = 0
export const PROT_READ = 1
export const PROT_WRITE = 2
export const PROT_EXEC = 4

export const MAP_SHARED = 0x01
export const MAP_PRIVATE = 0x02
/** Mask of the kind of mapping. */
export const MAP_TYPE = 0x0f
export const MAP_FIXED = 0x10
export const MAP_ANONYMOUS = 0x20
/** Without a promise that there will be memory. */
export const MAP_NORESERVE = 0x4000
/** All pages are made present at once; with MAP_NONBLOCK not. */
export const MAP_POPULATE = 0x8000
export const MAP_NONBLOCK = 0x10000
/** As MAP_FIXED, but fails with EEXIST instead of replacing. */
export const MAP_FIXED_NOREPLACE = 0x100000

export const MREMAP_MAYMOVE = 1
export const MREMAP_FIXED = 2

export const MADV_NORMAL = 0
export const MADV_RANDOM = 1
export const MADV_SEQUENTIAL = 2
/** Will be used soon. */
export const MADV_WILLNEED = 3
export const MADV_DONTNEED = 4
/** May be freed without a copy while nobody writes it. */
export const MADV_FREE = 8
export const MADV_DONTFORK = 10
export const MADV_DOFORK = 11
export const MADV_NOHUGEPAGE = 15
export const MADV_DONTDUMP = 16
export const MADV_DODUMP = 17
export const MADV_WIPEONFORK = 18
export const MADV_KEEPONFORK = 19
export const MADV_PAGEOUT = 21
export const MADV_POPULATE_READ = 22
export const MADV_POPULATE_WRITE = 23

/** VM_READ, VM_WRITE and VM_EXEC for PROT_ flags (the numbers agree). */
export function calc_vm_prot_bits(prot: number): number {
  return prot & (VM_READ | VM_WRITE | VM_EXEC)
}
