import { expect, test } from 'vitest'
import { softLockupWatchdog } from '../../src/machine/smp/watchdog.ts'

test('a busy CPU that begins no operation is found after the limit, not before', () => {
  const operations = [0, 0]
  const look = softLockupWatchdog(2, (cpu) => ({ progress: operations[cpu], idle: false, limit: 100 }))
  for (let now = 0; now < 100; now += 10) {
    operations[0]++
    expect(look(now)).toBe(-1)
  }
  operations[0]++
  expect(look(100)).toBe(1)
})

test('an idle CPU is never locked up', () => {
  const look = softLockupWatchdog(1, () => ({ progress: 5, idle: true, limit: 100 }))
  expect([0, 200, 400].map(look)).toEqual([-1, -1, -1])
})
