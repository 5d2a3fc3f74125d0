// Q4: swap slots.
import { type Check, Findings } from './check.ts'

export const swapCounts: Check = {
  id: 'Q4',
  name: 'swap counts',
  description:
    'A swap slot counts the entries that name it, has SWAP_HAS_CACHE as long as its page is in the ' +
    'swap cache, and is free otherwise; the sums agree.',
  run(view) {
    if (view.symbols.SWAP === 0) return 'not applicable'
    const found = new Findings()
    for (const problem of view.swap.problems) found.add(() => problem)
    return found.result()
  },
}
