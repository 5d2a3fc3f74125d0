// What a hunt did against what its scenario declares, on an image of two functions and two counters.
import { describe, expect, test } from 'vitest'
import { checkNames, notReached, unmet } from '../../src/hunt/expectations.ts'

const site = { file: 'src/kernel/mm/a.ts', line: 1, column: 1, primitive: 'load' }
const image = {
  symbols: { PSWPIN: 28, RETRY_do_swap_page$lock: 83, RETRY_END: 128 },
  declared: ['do_wp_page', 'wp_page_copy', 'ptep_get', 'wp_page_reuse'],
  sites: [
    { ...site, fn: 'wp_page_copy', callers: [{ fn: 'do_wp_page', file: site.file, line: 2 }] },
    { ...site, fn: 'wp_page_copy', helper: 'ptep_get' },
  ],
}

describe('what is to be reached', () => {
  const missing = (sites: number[], stat: number[], ...names: string[]): string[] =>
    notReached(image, names, { executions: 1, sites, stat })

  test('is a function one of whose places took a step, inlined ones too', () => {
    expect(missing([0], [], 'wp_page_copy', 'do_wp_page', 'ptep_get')).toEqual(['ptep_get'])
  })

  test('is missing where its image has no place of it', () => {
    expect(missing([0, 1], [], 'wp_page_reuse')).toEqual(['wp_page_reuse'])
  })

  test('is an event or a retry that was counted', () => {
    const stat: number[] = []
    stat[28] = 1
    expect(missing([], stat, 'pswpin', 'do_swap_page:lock')).toEqual(['do_swap_page:lock'])
  })

  test('has to have a name of the kernel', () => {
    expect(() => missing([], [], 'do_wp_pag')).toThrow(
      '@reaches do_wp_pag: the kernel has no such function and no event (did you mean do_wp_page?).',
    )
  })
})

describe('an expectation', () => {
  const judged = (executions: number, count: number): ReturnType<typeof unmet> => {
    const stat: number[] = []
    stat[28] = count
    return unmet(image, [{ event: 'pswpin', executions: 10 }], { executions, sites: [], stat })
  }

  test('is met by one event in so many executions', () => {
    expect(judged(39, 3)).toEqual([])
  })

  test('is not met by fewer', () => {
    expect(judged(40, 3)).toEqual([{ event: 'pswpin', in: 10, count: 3 }])
  })

  test('is not judged before there were so many', () => {
    expect(judged(9, 0)).toEqual([])
  })

  test('has to name an event', () => {
    const expects = [{ event: 'do_wp_page', executions: 1 }]
    expect(() => unmet(image, expects, { executions: 1, sites: [], stat: [] })).toThrow(
      '@expects do_wp_page: the kernel has no such event (did you mean do_swap_page:lock?).',
    )
  })
})

test('a name that the kernel does not have is refused with the scenario that declares it', () => {
  const check = (reaches: string[]): void =>
    checkNames('my-race.ts', image, { reaches, expects: [{ event: 'pswpin', executions: 1 }] })
  expect(() => check(['do_wp_page'])).not.toThrow()
  expect(() => check(['do_wp_pag'])).toThrow('my-race.ts: @reaches do_wp_pag: the kernel has no such')
})
