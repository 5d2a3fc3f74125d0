// A spinlock in the struct page of each table.
import { LOCK_CLASS_ptlock, type Page, page$ptl, type Spinlock, spin_lock_init } from 'mmtorture/kernel'

export function ptlock_init(page: Page): void {
  spin_lock_init((page + page$ptl) as Spinlock, LOCK_CLASS_ptlock)
}
