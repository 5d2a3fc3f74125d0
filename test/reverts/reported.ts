// Which revert's report stands for a check, and what of a report is the same each time.

/** By check: a revert that seed 1 finds by it, and the words behind it if there are more. */
export const REPORTED: Readonly<Record<string, string>> = {
  BUG: 'lazyfree-no-ref-count',
  'data-oracle': 'swapin-entry-reuse',
  deadlock: 'park-no-recheck',
  kcsan: 'pte-alloc-no-wmb',
  livelock: 'mmlist-no-recheck',
  leaks: 'loser-no-put',
  ledger: 'wp-reuse-drops-ptl',
  lockdep: 'fork-no-nested',
  mmlist: 'mmlist-any-entry --operations 1',
  'page-counts': 'ref-after-unlock',
  'pte-transitions': 'no-recheck-unuse-pte',
  'table-owner': 'ptl-wrong',
  tlb: 'fork-no-flush',
  'use-after-free': 'no-recheck-handle-pte-fault-swap',
}

/** By check that no revert is found by: a scenario and the patch of patches/ that seed 1 finds there. */
export const REPORTED_PATCHES: Readonly<Record<string, readonly [scenario: string, patch: string]>> = {
  'swap-map': ['fork-swapped', 'swap-duplicate-unlocked'],
}

/** A report without what is measured: times and rates. */
export function masked(report: string): string {
  return report.replaceAll(/[\d.,]+ s\b/g, '… s').replaceAll(/[\d.,]+\/s\b/g, '…/s')
}
