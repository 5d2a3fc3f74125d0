import { beforeAll, describe, expect, test } from 'vitest'
import { runChecks } from '../../src/checks/index.ts'
import { bootFixture, buildFixture, type TestMachine } from './machine.ts'

describe('a resting machine', () => {
  let machine: TestMachine
  beforeAll(async () => {
    machine = await bootFixture(await buildFixture('resting'))
  })

  test('holds every check', () => {
    expect(runChecks(machine, 'running').filter((one) => one.ok === false)).toEqual([])
  })
})
