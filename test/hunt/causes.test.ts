// Which steps of an execution a check's causes are.
import { describe, expect, test } from 'vitest'
import { causingSteps, wrongValueSteps } from '../../src/hunt/causes.ts'
import type { Cause } from '../../src/step/observer.ts'
import { execution } from './executions.ts'

const steps = execution(`
  1 READ pte
  0 READ pte
  0 WRITE pte
  1 READ pte
  0 WRITE pte
  0 WRITE pte
`)
const taken: Cause = { what: 'takes it away', object: 'pte', writes: true }
const filled: Cause = { what: 'fills the TLB', object: 'pte', cpu: 1 }

describe('the steps that led to a violation', () => {
  test('are the last that fit, in the order of time', () => {
    expect(causingSteps(steps, [taken, filled])).toEqual([
      { index: 3, what: 'fills the TLB' },
      { index: 4, what: 'takes it away' },
    ])
  })

  test('lie each before the one that is named before it', () => {
    expect(causingSteps(steps, [{ ...taken, site: 2 }, filled])).toEqual([
      { index: 0, what: 'fills the TLB' },
      { index: 2, what: 'takes it away' },
    ])
  })

  test('are not the step that failed', () => {
    expect(causingSteps(steps, [{ ...taken, site: 5 }])).toEqual([])
  })

  test('are fewer where one happened before the execution', () => {
    expect(causingSteps(steps, [taken, { what: 'maps it', function: 'do_anonymous_page' }])).toEqual([
      { index: 4, what: 'takes it away' },
    ])
  })
})

describe('what led to a wrong value', () => {
  const word = 'word 0 of the contents of page 0x6'
  const place = { cpu: 0, mmId: 2, page: 0x1f7 }
  const load = `
    0 READ pte[mm 2, 0x1f7]
    1 WRITE ${word}
    0 READ ${word}
    0 READ task 3 pid
  `
  const walked = execution(load).map((step, index) =>
    index === 0 ? { ...step, function: 'tlb_walk' } : step,
  )

  test('is the walk that the load read by, and the store of what it found, in the order of time', () => {
    expect(wrongValueSteps(walked, place)).toEqual([
      { index: 0, what: 'walks to it' },
      { index: 1, what: 'stored that' },
      { index: 2, what: 'loads what is wrong' },
    ])
  })

  test('is not what another CPU walked to', () => {
    expect(wrongValueSteps(walked, { ...place, cpu: 1 })).not.toContainEqual({
      index: 0,
      what: 'walks to it',
    })
  })
})
