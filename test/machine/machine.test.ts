import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { afterEach, describe, expect, test } from 'vitest'
import { KernelException, MachineStopped, WorkerDied } from '../../src/inspect/failure.ts'
import { type MachineOptions, SmpMachine } from '../../src/machine/smp/machine.ts'
import { BUG, DEADLOCK, DIE, FINISH, RUN, THROW, tinyImage } from './tiny.ts'

let machine: SmpMachine | undefined

afterEach(async () => {
  await machine?.shutdown()
  machine = undefined
})

async function boot(what: number, options: Partial<MachineOptions> = {}): Promise<SmpMachine> {
  machine = await SmpMachine.boot(tinyImage, { cpus: 2, seed: 7, cores: 2, ...options })
  machine.memory[200] = what
  return machine
}

async function failureOf(run: Promise<unknown>): Promise<unknown> {
  return run.then(
    () => undefined,
    (error: unknown) => error,
  )
}

describe('a machine', () => {
  test('tells the kernel its CPUs and seed before it boots', async () => {
    const { memory } = await boot(RUN, { cpus: 3 })
    expect(memory[201]).toBe(3)
    expect(memory[98]).toBe(7)
  })

  test('runs all CPUs for the time asked and stops them', async () => {
    const running = await boot(RUN)
    const window = await running.run(100)
    expect(window.finished).toBe(false)
    expect(window.seconds).toBeGreaterThan(0.08)
    expect(running.stats.every((stat) => stat[0] > 0)).toBe(true)
    expect(running.operations()).toBe(running.stats[0][0] + running.stats[1][0])
  })

  test('runs again after it stopped', async () => {
    const running = await boot(RUN)
    await running.run(20)
    const before = running.operations()
    await running.run(20)
    expect(running.operations()).toBeGreaterThan(before)
  })

  test('ends a window when no task is left', async () => {
    const running = await boot(FINISH)
    const window = await running.run(60_000)
    expect(window.finished).toBe(true)
  })

  test('ends a window when it is told to stop', async () => {
    const running = await boot(RUN)
    const window = running.run(60_000)
    setTimeout(() => running.stop(), 50)
    expect((await window).finished).toBe(false)
  })

  test('hands boot data to the scenario', async () => {
    const { memory } = await boot(RUN, { bootData: Int32Array.of(5, 6, 7), bootScratch: 100 })
    expect([...memory.subarray(8192, 8196)]).toEqual([5, 6, 7, 0])
    expect(memory).toHaveLength(8295)
  })

  // A second on a quiet machine; a busy one is measured by what empty threads take on it.
  test('boots eight CPUs in little more than their threads take to start', async () => {
    const empty = performance.now()
    await Promise.all(
      Array.from({ length: 8 }, () => once(new Worker('', { eval: true, execArgv: [] }), 'exit')),
    )
    const begin = performance.now()
    await boot(RUN, { cpus: 8 })
    expect(performance.now() - begin).toBeLessThan(Math.max(1000, 5 * (begin - empty)))
  })

  test('lets the remaining tasks exit on CPU 0', async () => {
    const running = await boot(RUN)
    await running.exitAllTasks()
    expect(running.memory[203]).toBe(1)
  })
})

describe('a BUG', () => {
  test('stops every CPU and names the function that noticed', async () => {
    const error = await failureOf((await boot(BUG)).run(60_000))
    expect(error).toBeInstanceOf(MachineStopped)
    const { failure } = error as MachineStopped
    expect(failure.message).toMatch(/^CPU 1: kernel BUG at .*tiny\.mjs:\d+ in do_anonymous_page$/)
    expect(failure.cpus.map((cpu) => cpu.ended)).toEqual(['stopped', 'bug'])
    expect(failure.cpus[0].stack[0].function).toBe('Object.cpu_run')
  })
})

describe('a soft lockup', () => {
  test('is reported with what the CPU waits for and who holds it', async () => {
    const error = await failureOf((await boot(DEADLOCK, { lockupLimit: 300 })).run(60_000))
    expect(error).toBeInstanceOf(MachineStopped)
    const { failure } = error as MachineStopped
    expect(failure.kind).toBe('soft lockup')
    expect(failure.message).toMatch(/^watchdog: BUG: soft lockup - CPU#1 stuck for \d+s!/)
    expect(failure.details).toEqual(['CPU 1: it waits for machine mmlist_lock (word 0xc0), held by CPU 0'])
    expect(failure.cpus[1].stack.map((frame) => frame.function)).toContain('wait')
  })
})

describe('a CPU that is lost', () => {
  test('ends the run with its number when its worker dies', async () => {
    const error = await failureOf((await boot(DIE)).run(60_000))
    expect(error).toBeInstanceOf(WorkerDied)
    expect((error as Error).message).toBe('CPU 1 is gone: its worker thread ended with status 5')
  })

  test('ends the run with its stack when the kernel throws', async () => {
    const error = await failureOf((await boot(THROW)).run(60_000))
    expect(error).toBeInstanceOf(KernelException)
    expect((error as KernelException).cpu).toBe(1)
    expect((error as KernelException).frames[0].function).toBe('Object.cpu_run')
  })
})

test('a setup that finds too little memory is bad input', async () => {
  const image = { ...tinyImage, symbols: { ...tinyImage.symbols, MEMORY_WORDS: 8208, BOOT_DATA: 202 } }
  const options = { cpus: 1, seed: 1, cores: 2, bootData: Int32Array.of(-12) }
  await expect(SmpMachine.boot(image, options)).rejects.toThrow(
    'MEMORY=256M is too small for this scenario on 1 CPU: give it more with --config MEMORY=SIZE.',
  )
})
