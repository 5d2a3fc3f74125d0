import { describe, expect, test } from 'vitest'
import { noteText, runNotes } from '../../src/run/notes.ts'
import { lockRow, sample } from '../report/sample.ts'

const texts = (report: typeof sample): string[] => runNotes(report).map(noteText)
const config = (settings: Partial<typeof sample.config>): typeof sample.config => ({
  ...sample.config,
  ...settings,
})

describe('the notes of a run', () => {
  test('are none for an ordinary run', () => {
    expect(texts(sample)).toEqual([])
  })

  test.each(['ticket', 'mcs'])(
    'name the convoy of %s with more CPUs than cores, and its measure',
    (SPINLOCK) => {
      const locks = [lockRow('&zone->lock', 4)]
      const [note] = texts({ ...sample, config: config({ SPINLOCK }), locks })
      expect(note).toMatch(/^lock convoy: .*FIFO order.*halted/)
      expect(note).toContain(
        'Here 20 % of CPU time (4 CPUs, 2 cores) went by waiting for spinlocks, 13 % halted in waits of any kind, ' +
          'and 40 % of all acquisitions had to wait.',
      )
    },
  )

  test('do not name a convoy with a core for each CPU', () => {
    expect(texts({ ...sample, cores: 4, config: config({ SPINLOCK: 'ticket' }) })).toEqual([])
  })

  test('say that lock_stat samples holds', () => {
    expect(texts({ ...sample, config: config({ LOCK_STAT: 'y' }) })).toEqual([
      'lock_stat: every wait is timed, holds for one acquisition in 16 (HOLDTIME_SAMPLE), and ' +
        'holdtime-total is scaled up from these.',
    ])
    expect(texts({ ...sample, config: config({ LOCK_STAT: 'y', HOLDTIME_SAMPLE: 1 }) })[0]).toContain(
      'and so is every hold',
    )
  })

  test('warn of a window too short for rates', () => {
    expect(texts({ ...sample, seconds: 0.05 })[0]).toContain('its rates are coarse')
  })
})
