// A machine that knows what was written since a state that it keeps is looked at there alone: it finds what the whole
// look finds.
import { beforeAll, expect, test } from 'vitest'
import { runChecks } from '../../src/checks/index.ts'
import { RestingMachine } from '../../src/checks/resting_machine.ts'
import { bootFixture, buildFixture, type TestMachine } from './machine.ts'

let machine: TestMachine
/** The machine before anything is written. */
let kept: Int32Array
/** Word address of a free anon_vma. */
let object: number

beforeAll(async () => {
  machine = await bootFixture(await buildFixture('resting'))
  kept = machine.memory.slice()
  const { free, base, words } = new RestingMachine(machine, 'running').caches.anon_vma
  object = base + free.lastIndexOf(1) * words
})

/** What is said of free pages when these words were written, and of all words. */
function found(change: Record<number, number>, memory: Int32Array = kept): (string | undefined)[] {
  const now = { memory: machine.memory.slice(), symbols: machine.symbols }
  Object.assign(now.memory, change)
  const written = Int32Array.from(Object.keys(change).map(Number))
  return [{ ...now, since: { memory, written } }, now].map(
    (view) => runChecks(view, 'running').find(({ name }) => name === 'Q7 free pages')!.detail,
  )
}

test('nothing is found where nothing was written', () => {
  expect(found({})).toEqual([undefined, undefined])
})

test('a word that is written to a free object is found', () => {
  const [known, whole] = found({ [object + 3]: 7 })
  expect(known).toMatch(/^anon_vma \d+ is free and word 3 of it is 0x7, expected 0x0$/)
  expect(known).toBe(whole)
})

test('an object that was dirty before and is free now is found, although it was not written to', () => {
  const dirty = kept.slice()
  dirty[object + 3] = 7
  const now = { memory: dirty.slice(), symbols: machine.symbols }
  const since = { memory: dirty, written: new Int32Array(0) }
  const check = runChecks({ ...now, since }, 'running').find(({ name }) => name === 'Q7 free pages')!
  expect(check.detail).toMatch(/^anon_vma \d+ is free and word 3 of it/)
})
