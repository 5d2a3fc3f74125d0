// Q14 address spaces and Q15 task tree: each test corrupts one word of a resting machine with swap.
import { beforeAll, describe, expect, test } from 'vitest'
import { runChecks } from '../../src/checks/index.ts'
import { RestingMachine } from '../../src/checks/resting_machine.ts'
import { bootFixture, buildFixture, type TestMachine } from './machine.ts'

let machine: TestMachine
let view: RestingMachine

beforeAll(async () => {
  machine = await bootFixture(await buildFixture('resting_swapped', { SWAP: 'y', PGTABLE_LEVELS: 3 }))
  view = new RestingMachine(machine, 'running')
})

/** What the check says when the words have these values; null if it holds. */
function says(name: string, words: readonly (readonly [number, number])[]): string | null {
  const { memory } = machine
  const olds = words.map(([address, value]) => {
    const old = memory[address]
    memory[address] = value
    return old
  })
  const result = runChecks(machine, 'running').find((each) => each.name === name)!
  words.forEach(([address], i) => (memory[address] = olds[i]))
  return result.ok === true ? null : (result.detail ?? '')
}

const firstVma = (): { address: number; start: number; end: number } => view.mms[0].vmas[0]

describe('Q14 address spaces', () => {
  const check = (...words: [number, number][]): string | null => says('Q14 address spaces', words)

  test('holds', () => expect(check()).toBeNull())

  test('finds a total_vm that is not the pages of the VMAs', () => {
    const word = view.mms[0].address + machine.s.mm$total_vm
    expect(check([word, machine.memory[word] + 1])).toMatch(/mm \d+: total_vm \d+, expected \d+/)
  })
  test('finds a VMA below mmap_min_addr', () => {
    const { address, start, end } = firstVma()
    const { vma$vm_start, vma$vm_end, mmap_min_addr } = machine.s
    const low = mmap_min_addr - 1
    expect(check([address + vma$vm_start, low], [address + vma$vm_end, low + end - start])).toContain(
      'begins below mmap_min_addr',
    )
  })
  test('finds a VMA above user space', () => {
    const { address } = view.mms[0].vmas.at(-1)!
    expect(check([address + machine.s.vma$vm_end, machine.s.TASK_SIZE + 1])).toContain('ends above TASK_SIZE')
  })
})

describe('Q15 task tree', () => {
  const check = (...words: [number, number][]): string | null => says('Q15 task tree', words)
  const tasks = (): readonly number[] => view.caches.task_struct.inUse()
  const parent = (): number => tasks().find((task) => machine.memory[task + machine.s.task$children] !== 0)!

  test('holds, with a child', () => {
    expect(check()).toBeNull()
    expect(parent()).toBeDefined()
  })
  test('finds a child that is not counted, and a zombie that is', () => {
    const { task$nr_children, task$nr_zombies } = machine.s
    expect(check([parent() + task$nr_children, 0])).toMatch(
      /task 1: nr_children 0, expected \d: \d on its list/,
    )
    expect(check([parent() + task$nr_zombies, 1])).toMatch(/1 zombies/)
  })
  test('finds a child that is on no list', () => {
    const { task$children, task$nr_children, task$sibling } = machine.s
    const child = machine.memory[parent() + task$children]
    const left = machine.memory[parent() + task$nr_children] - 1
    const next = machine.memory[child + task$sibling]
    expect(check([parent() + task$children, next], [parent() + task$nr_children, left])).toContain(
      'is on the list of children of another than its parent',
    )
  })
  test('finds a list of children that leads in a circle or to no task', () => {
    const { task$children, task$sibling } = machine.s
    const child = machine.memory[parent() + task$children]
    expect(check([child + task$sibling, child])).toContain('a child before')
    expect(check([child + task$sibling, child + 1])).toContain('no task in use')
  })
  test('finds a child whose parent is another', () => {
    const child = machine.memory[parent() + machine.s.task$children]
    expect(check([child + machine.s.task$parent, child])).toMatch(/task \d+: parent 0x\w+, expected task 1/)
  })
  test('finds a task that is not on the list of all tasks, and a broken link back', () => {
    const { machine$tasks } = machine.s
    const first = machine.memory[machine$tasks]
    const next = machine.memory[first]
    expect(check([machine$tasks, next], [next + 1, machine$tasks])).toContain(
      'is not on the list of all tasks',
    )
    expect(check([first + 1, first])).toContain('links back to')
  })
})
