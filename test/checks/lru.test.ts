import { beforeAll, expect, test } from 'vitest'
import { runChecks } from '../../src/checks/index.ts'
import { bootFixture, buildFixture, type TestMachine } from './machine.ts'

let machine: TestMachine
/** The first pages of the lists of inactive anonymous and file pages. */
let anon: number
let file: number

beforeAll(async () => {
  machine = await bootFixture(await buildFixture('resting', { SWAP: 'y' }))
  anon = first(machine.s.LRU_INACTIVE_ANON)
  file = first(machine.s.LRU_INACTIVE_FILE)
})

function headOf(list: number): number {
  return machine.s.LRUVECS + machine.s.lruvec$lists + 2 * list
}

function first(list: number): number {
  return machine.memory[headOf(list)] - machine.s.page$lru_next
}

/** Writes one word, and returns what fails: `Q1 refcounts: …`. */
function corrupt(address: number, value: number): string[] {
  const old = machine.memory[address]
  machine.memory[address] = value
  const failed = runChecks(machine, 'running').filter((one) => one.ok === false)
  machine.memory[address] = old
  return failed.map((one) => `${one.name}: ${one.detail}`)
}

test('a resting machine with LRU lists holds, and every batch is empty', () => {
  expect(runChecks(machine, 'running').filter((one) => one.ok === false)).toEqual([])
  expect(machine.memory[machine.s.LRUVECS + machine.s.lruvec$lru_size]).toBeGreaterThan(5)
})

test('finds a page that has PG_lru and is on no list', () => {
  const { s, memory } = machine
  const link = anon + s.page$lru_next
  const next = memory[link]
  const back = memory[next + 1]
  memory[next + 1] = headOf(s.LRU_INACTIVE_ANON)
  const found = corrupt(headOf(s.LRU_INACTIVE_ANON), next)
  memory[next + 1] = back
  expect(found).toHaveLength(1)
  expect(found[0]).toMatch(
    /^Q7-lru LRU lists: inactive_anon counts \d+ pages, expected \d+; page .* on no list$/,
  )
})

test('finds a page that is on a list without PG_lru', () => {
  const flags = anon + machine.s.page$flags
  const found = corrupt(flags, machine.memory[flags] & ~machine.s.PG_lru)
  expect(found).toHaveLength(1)
  expect(found[0]).toMatch(/^Q7-lru LRU lists: page .* is on inactive_anon without PG_lru$/)
})

test('finds a page that is on another list than its flags say', () => {
  const flags = file + machine.s.page$flags
  const found = corrupt(flags, machine.memory[flags] | machine.s.PG_active)
  expect(found).toHaveLength(1)
  expect(found[0]).toMatch(/^Q7-lru LRU lists: page .* is on inactive_file, expected active_file/)
})

test('finds a link back that is wrong', () => {
  const found = corrupt(anon + machine.s.page$lru_prev, file + machine.s.page$lru_next)
  expect(found).toHaveLength(1)
  expect(found[0]).toMatch(/^Q7-lru LRU lists: inactive_anon: page .* links back to/)
})

test('finds a list that counts wrong', () => {
  const size = machine.s.LRUVECS + machine.s.lruvec$lru_size + machine.s.LRU_INACTIVE_FILE
  const found = corrupt(size, machine.memory[size] + 1)
  expect(found).toEqual([expect.stringMatching(/^Q7-lru LRU lists: inactive_file counts/)])
})
