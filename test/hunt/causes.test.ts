// Which steps of an execution a check's causes are.
import { describe, expect, test } from 'vitest'
import { causingSteps } from '../../src/hunt/causes.ts'
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
