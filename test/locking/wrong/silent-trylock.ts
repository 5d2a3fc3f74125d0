// Wrong: after three attempts it goes on without the lock.
import { type Mm, type Pmd, type Spinlock, spin_trylock, spin_unlock } from 'mmtorture/kernel'
import { table_lock } from './parts/table_lock.ts'

export { ptl_lock_pair, ptl_unlock_pair } from './parts/pair.ts'
export { pmd_lockptr, ptlock_free } from './parts/base.ts'
export { ptlock_init } from './parts/init.ts'
export { ptl_is_contended } from './parts/contended.ts'

export const PTLOCK_WORDS = 0

export const PTL_RANGE = 0
const ATTEMPTS = 3

export function ptl_lock(_mm: Mm, pmd: Pmd, _addr: number, _end: number, _mode: number): number {
  for (let i = 0; i < ATTEMPTS; i++) if (spin_trylock(table_lock(pmd))) return table_lock(pmd)
  return table_lock(pmd)
}

export function ptl_unlock(_pmd: Pmd, _addr: number, _end: number, _mode: number, ptl: number): void {
  spin_unlock(ptl as Spinlock)
}
