// The real kernel of the test machine with two CPUs (an EPYC 7R13 guest, Linux 6.18): faults of two threads.
import { readLockStat } from '../../src/inspect/lock_stat.ts'
import { Bench } from '../clock.ts'
import { figure, type Row, type Target, within } from '../target.ts'

const LABEL = 'Real kernel, 2 CPUs'

async function run(tell: (text: string) => void): Promise<Row[]> {
  tell('real kernel')
  const rows: Row[] = []
  const single: Record<string, number> = {}
  for (const layout of ['disjoint', 'interleaved']) {
    const bench = await Bench.of(`scenarios/page-fault-${layout}.ts`, ['NR_CPUS=2', 'LOCK_STAT=y'], 'milan')
    const one = bench.point({ cpus: 1, operations: 8000 })
    const two = bench.point({ cpus: 2, operations: 8000 })
    single[layout] = 1e9 / one.faultsPerSecond
    const { machine } = two
    const ptl = readLockStat([machine.stat], bench.image.symbols).find(
      (row) => row.class === 'ptlock_ptr(page)',
    )
    const contended = (ptl?.contentions ?? 0) / machine.stat[bench.image.symbols['PGFAULT']]
    rows.push(
      within(
        LABEL,
        `${layout}: two threads over one`,
        1.97,
        two.faultsPerSecond / one.faultsPerSecond,
        0.05,
        'x',
      ),
    )
    rows.push(
      layout === 'disjoint'
        ? {
            ...{ target: LABEL, what: 'disjoint: contended page-table locks', published: '0' },
            ...{ predicted: String(ptl?.contentions ?? 0), band: '0', ok: (ptl?.contentions ?? 0) === 0 },
          }
        : {
            ...{
              target: LABEL,
              what: 'interleaved: faults whose page-table lock is contended',
              published: '1.19 %',
            },
            ...{
              predicted: `${(contended * 100).toFixed(2)} %`,
              band: '0.5 to 3 %',
              ok: contended >= 0.005 && contended <= 0.03,
            },
          },
    )
  }
  rows.push({
    ...{
      target: LABEL,
      what: 'ns a fault, one thread (exception and clearing are calibrated with it)',
      published: '2069',
    },
    ...{ predicted: figure(single['disjoint']), band: 'calibration', ok: undefined },
  })
  return rows
}

export const real: Target = { name: 'real kernel', label: LABEL, run }
