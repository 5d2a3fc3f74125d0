// Which steps of an execution are shown, how they are labelled, and the order that makes the bug: on frozen programs.
import { describe, expect, test } from 'vitest'
import { interleavingOf } from '../../src/hunt/violation.ts'
import {
  constraintText,
  formatColumns,
  interleave,
  type InterleaveOptions,
} from '../../src/hunt/interleaving.ts'
import { describedProgram } from './described.ts'
import { execution, waiting } from './executions.ts'

describe('the lost update', () => {
  const description = describedProgram('lostUpdate', [
    [0, 2],
    [1, 3],
    [0, 3],
  ])
  const interleaving = interleavingOf(description, false)

  test('is four accesses', () => {
    expect(interleaving.rows.map((row) => `${row.label} ${row.step.text}`)).toMatchInlineSnapshot(`
      [
        "A1 READ_ONCE word 0x40: 0",
        "B1 READ_ONCE word 0x40: 0",
        "B2 WRITE_ONCE word 0x40 0 -> 1",
        "A2 WRITE_ONCE word 0x40 1 -> 1",
      ]
    `)
  })

  test('needs the other write between read and write', () => {
    expect(constraintText(interleaving.constraints)).toEqual(['A1 before B2 before A2 (word 0x40)'])
  })

  test('stands in two columns', () => {
    expect(formatColumns(interleaving, 2).join('\n')).toMatchInlineSnapshot(`
      "CPU 0                               CPU 1
      ----------------------------------  ----------------------------------
      A1   increment frozen.ts:10
           READ_ONCE word 0x40: 0
                                          B1   increment frozen.ts:10
                                               READ_ONCE word 0x40: 0
                                          B2   increment frozen.ts:11
                                               WRITE_ONCE word 0x40 0 -> 1
      A2   increment frozen.ts:11
           WRITE_ONCE word 0x40 1 -> 1"
    `)
  })

  test('is described without the state of CPUs that have left the kernel', () => {
    expect(description.atRest).toBe(true)
    expect(description.cpus).toEqual([])
  })
})

describe('a deadlock of two locks', () => {
  const description = describedProgram('abba', [
    [0, 2],
    [1, 2],
  ])

  test('shows what each CPU waits for as a row of its own', () => {
    const waiting = interleavingOf(description, false).rows.filter((row) => row.step.pending === 'waiting')
    expect(waiting.map((row) => `${row.label} ${row.step.text}`)).toEqual([
      'A2 waits for word 0x61, held by CPU 1',
      'B2 waits for word 0x60, held by CPU 0',
    ])
  })

  test('says who waits for what and who holds it', () => {
    expect(description.splat).toEqual([
      'BUG: deadlock: no CPU can go on',
      ' CPU 0 waits for word 0x61 (word 0x61), held by CPU 1',
      ' CPU 1 waits for word 0x60 (word 0x60), held by CPU 0',
    ])
  })

  test('comes from each lock being taken before the other CPU wants it', () => {
    expect(constraintText(interleavingOf(description, false).constraints)).toEqual([
      'B1 before A2 (word 0x61)',
      'A1 before B2 (word 0x60)',
    ])
  })
})

describe('an execution without end', () => {
  const description = describedProgram('endless', [[0, Infinity]])

  test('is a soft lockup with the place', () => {
    expect(description.splat).toEqual([
      'watchdog: BUG: soft lockup - CPU#0 stuck: no turn ends for 100 steps',
      'RIP: spin frozen.ts:30, READ_ONCE word 0x62: 0',
    ])
  })

  test('shows few of its steps, and all with verbose', () => {
    expect(interleavingOf(description, false).rows.length).toBeLessThan(5)
    expect(interleavingOf(description, true).rows.length).toBe(description.steps.length)
  })
})

test('steps that are left out are counted', () => {
  const { rows, skippedAtEnd } = interleavingOf(describedProgram('endless', [[0, Infinity]]), false)
  const left = rows.reduce((sum, row) => sum + row.skipped, 0)
  expect(left + rows.length + skippedAtEnd).toBe(100)
})

describe('a CPU that waits for a lock when another one fails', () => {
  // CPU 0 acts on a flag that it read before CPU 1 set it; CPU 1 then wants the lock that CPU 0 holds.
  const steps = execution(`
    0 LOCK page 0x5 (table) ptl
    0 READ flag
    1 WRITE flag
    1 ${waiting} LOCK page 0x5 (table) ptl
    0 WRITE count
  `)

  test('does not hide the order of the data', () => {
    expect(constraintText(interleave(steps).constraints)).toEqual(['A1 before B1 (flag)'])
  })

  test('says what a deadlock comes from, where that is the failure', () => {
    expect(constraintText(interleave(steps, { deadlock: true }).constraints)).toEqual([
      'A1 before B1 (page 0x5 (table) ptl)',
    ])
  })

  test('is all there is where no data is met', () => {
    const only = steps.filter((step) => step.object.includes('ptl'))
    expect(constraintText(interleave(only).constraints)).toEqual(['A1 before B1 (page 0x5 (table) ptl)'])
  })
})

test('who waits at the end of a deadlock for a word, not for a lock, is shown with the data that it waits for', () => {
  const steps = execution(`
    0 READ flag
    1 WRITE flag
    1 NOTIFY event
    0 ${waiting} WAIT event
  `)
  expect(constraintText(interleave(steps, { deadlock: true }).constraints)).toEqual([
    'A1 before B1 (flag)',
    'B2 before A2 (event)',
  ])
})

describe('a pair of steps', () => {
  const rows = (text: string): string[] =>
    interleave(execution(text)).rows.map(({ label, step }) => `${label} ${step.access} ${step.object}`)

  test('under a lock that both CPUs take is shown with the lock', () => {
    const text = `
      0 LOCK page 0x5 (table) ptl
      0 READ own
      0 READ pte
      0 READ own
      0 UNLOCK page 0x5 (table) ptl
      1 LOCK page 0x5 (table) ptl
      1 READ other
      1 WRITE pte
      1 READ other
      1 UNLOCK page 0x5 (table) ptl
      0 WRITE last
    `
    expect(rows(text)).toEqual([
      'A1 LOCK page 0x5 (table) ptl',
      'A2 READ pte',
      'A3 UNLOCK page 0x5 (table) ptl',
      'B1 LOCK page 0x5 (table) ptl',
      'B2 WRITE pte',
      'A4 WRITE last',
    ])
  })

  test('under locks of their own is shown without them', () => {
    const text = `
      0 LOCK page 0x5 (table) ptl
      0 READ pte
      0 UNLOCK page 0x5 (table) ptl
      1 LOCK page 0x6 (table) ptl
      1 WRITE pte
      1 UNLOCK page 0x6 (table) ptl
      0 WRITE last
    `
    expect(rows(text)).toEqual(['A1 READ pte', 'B1 WRITE pte', 'A2 WRITE last'])
  })
})

describe('what led there but does not matter is left out', () => {
  const rows = (text: string, options: InterleaveOptions = {}): string[] =>
    interleave(execution(text), options).rows.map(
      ({ label, step }) => `${label} ${step.access} ${step.object}`,
    )

  // Two first faults in one page: each has gone its way to the table before it looks at the entry.
  const faults = `
    0 ADD mm 1 cpu_bitmap
    0 READ pte
    0 READ vma vm_mm
    1 ADD mm 1 cpu_bitmap
    1 READ vma vm_mm
    1 WRITE pte
    1 WRITE vma vm_mm
    1 READ pte
    0 READ vma vm_mm
    0 WRITE pte
  `

  test('the pairs of the switches are on the word that the failed step touched, though others are nearer', () => {
    expect(constraintText(interleave(execution(faults)).constraints)).toEqual([
      'A1 before B1 before A2 (pte)',
    ])
  })

  test('and so are the rows', () => {
    expect(rows(faults)).toEqual(['A1 READ pte', 'B1 WRITE pte', 'B2 READ pte', 'A2 WRITE pte'])
  })

  test('a walk that fills a TLB is no row, unless it is a cause', () => {
    const steps = execution(`
      0 READ flag
      1 WRITE flag
      1 READ pte
      0 WRITE pte
    `).map((step, index) => (index === 2 ? { ...step, function: 'tlb_walk' } : step))
    const shown = (causes: InterleaveOptions['causes']): string[] =>
      interleave(steps, { causes: causes ?? [] }).rows.map(({ label, step }) => `${label} ${step.object}`)
    expect(shown([])).not.toContain('B2 pte')
    expect(shown([{ index: 2, what: 'fills the TLB' }])).toContain('B2 pte')
  })

  test('without a switch the causes are shown, each with what it did', () => {
    const steps = execution(`
      0 READ pte
      0 READ other
      0 WRITE pte
      0 READ other
      0 UNLOCK mm 1 mmap_lock
    `)
    const { rows: shown, causes } = interleave(steps, {
      causes: [
        { index: 0, what: 'fills the TLB' },
        { index: 2, what: 'takes it away' },
      ],
    })
    expect(shown.map(({ label, step }) => `${label} ${step.object}`)).toEqual([
      'A1 pte',
      'A2 pte',
      'A3 mm 1 mmap_lock',
    ])
    expect(causes).toEqual([
      { row: 'A1', what: 'fills the TLB' },
      { row: 'A2', what: 'takes it away' },
    ])
  })

  test('the last step of a deadlock is only where it ended', () => {
    const text = `
      0 READ flag
      1 WRITE flag
      0 WRITE own
      0 ${waiting} WAIT flag
    `
    expect(rows(text, { deadlock: true })).toEqual(['A1 READ flag', 'B1 WRITE flag', 'A2 WAIT flag'])
  })

  test('what a CPU does before and behind an interrupt is not what the interrupt is about', () => {
    const steps = execution(`
      1 READ pte
      0 WRITE pte
      1 READ acks
      0 READ last
      1 WRITE pte
    `)
    const interrupted = steps.map((step, index) => (index === 2 ? { ...step, context: 3, irq: true } : step))
    expect(constraintText(interleave(interrupted).constraints)).toEqual(['B1 before A1 before B2 (pte)'])
  })
  test('an interrupt between two tasks does not hide what their change is about', () => {
    const steps = execution(`
      0 READ pte
      0 READ own
      0 READ acks
      1 READ other
      1 WRITE pte
      0 WRITE pte
    `)
    const interrupted = steps.map((step, index) => (index === 2 ? { ...step, context: 2, irq: true } : step))
    expect(constraintText(interleave(interrupted).constraints)).toEqual(['A1 before B1 before A2 (pte)'])
  })
})
