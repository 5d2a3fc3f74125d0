import { expect, test } from 'vitest'
import { lockMachine } from './machine.ts'

test('a token goes round eight sleeping CPUs without a lost wake-up', async () => {
  const m = await lockMachine()
  m.memory[m.symbols.machine$spin_budget] = 0
  m.kernel.init_queue(m.free)
  await m.run(8, 'pass_token', [m.free, m.free + 64, 8, 300])
  expect(m.memory[m.free + 64]).toBe(0)
  expect(m.kernel.waitqueue_active(m.free)).toBe(false)
})

test('wake_up takes the CPU that came first', async () => {
  const m = await lockMachine()
  const cpus = [m.cpu(3), m.cpu(1), m.cpu(2)]
  m.kernel.init_queue(m.free)
  for (const cpu of cpus) cpu.prepare_to_wait_exclusive(m.free, 0)
  m.kernel.wake_up(m.free)
  expect(cpus.map((cpu) => cpu.finish_wait(m.free))).toEqual([true, false, false])
})

test('a CPU that gives up waiting leaves the queue whole', async () => {
  const m = await lockMachine()
  const cpus = [m.cpu(3), m.cpu(1), m.cpu(2)]
  m.kernel.init_queue(m.free)
  for (const cpu of cpus) cpu.prepare_to_wait_exclusive(m.free, 0)
  expect(cpus[1].finish_wait(m.free)).toBe(false)
  expect(cpus[2].finish_wait(m.free)).toBe(false)
  cpus[1].prepare_to_wait_exclusive(m.free, 0)
  m.kernel.wake_up_all(m.free)
  expect(cpus[0].finish_wait(m.free)).toBe(true)
  expect(cpus[1].finish_wait(m.free)).toBe(true)
  expect(m.kernel.waitqueue_active(m.free)).toBe(false)
})

test('a wake-up with a key passes over those who wait for another', async () => {
  const m = await lockMachine()
  const cpus = [m.cpu(1), m.cpu(2)]
  m.kernel.init_queue(m.free)
  for (const [i, cpu] of cpus.entries()) cpu.prepare_to_wait_exclusive(m.free, 100 + i)
  expect(m.kernel.__wake_up(m.free, 101, 1)).toBe(1)
  expect(cpus.map((cpu) => cpu.finish_wait(m.free))).toEqual([false, true])
})
