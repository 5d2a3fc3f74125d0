// Q14: where the VMAs of an mm may lie, and that its size is theirs. Leaves out what they map (Q1 to Q3, Q8), their
// order and whose they are (Q11), and sizes by kind of VMA, which no mm keeps here.
import { type Check, Findings } from './check.ts'
import { hex } from '../inspect/names.ts'
import type { MmView, RestingMachine, VmaView } from './resting_machine.ts'

export const addressSpaces: Check = {
  id: 'Q14',
  name: 'address spaces',
  description:
    'The VMAs of an mm lie between mmap_min_addr and the end of user space, and have total_vm pages together.',
  run(view) {
    const found = new Findings()
    for (const mm of view.mms) vmas(view, mm, found)
    return found.result()
  },
}

function vmas(view: RestingMachine, mm: MmView, found: Findings): void {
  const { memory, symbols: s } = view
  let pages = 0
  for (const vma of mm.vmas) {
    if (vma.start < s.mmap_min_addr)
      found.add(() => `${name(mm, vma)}: the VMA begins below mmap_min_addr, page ${hex(s.mmap_min_addr)}`)
    if (vma.end > s.TASK_SIZE)
      found.add(() => `${name(mm, vma)}: the VMA ends above TASK_SIZE, page ${hex(s.TASK_SIZE)}`)
    pages += vma.end - vma.start
  }
  const total = memory[mm.address + s.mm$total_vm]
  if (total !== pages)
    found.add(() => `mm ${mm.id}: total_vm ${total}, expected ${pages}: the pages of its VMAs`)
}

function name(mm: MmView, vma: VmaView): string {
  return `mm ${mm.id}, ${hex(vma.start)} to ${hex(vma.end)}`
}
