// T9: one shared reference count against per-CPU deltas (RadixVM, EuroSys 2013, the same 80-CPU machine as the
// topology's).
import { Bench } from '../clock.ts'
import { figure, type Row, type Target } from '../target.ts'

const LABEL = 'T9: reference counts'
const SHARED = '1.08@1 4.31@10 1.33@20 1.12@40 1.28@80'
const SHARDED = '0.87@1 8.85@10 17.7@20 35.5@40 70.8@80'

async function rates(kind: string): Promise<Map<number, number>> {
  const bench = await Bench.of('scenarios/refcount-torture.ts', [`REFCOUNT=${kind}`, 'MEMORY=64M'], 'xeon80')
  return new Map(
    [1, 10, 20, 40, 80].map((cpus) => [
      cpus,
      bench.point({ cpus, operations: 500 }).operationsPerSecond / 1e6,
    ]),
  )
}

const curve = (points: ReadonlyMap<number, number>): string =>
  [...points].map(([cpus, rate]) => `${figure(rate)}@${cpus}`).join(' ')

async function run(tell: (text: string) => void): Promise<Row[]> {
  tell('T9')
  const shared = await rates('atomic')
  const sharded = await rates('percpu')
  const perCore = sharded.get(80)! / sharded.get(1)! / 80
  return [
    {
      ...{
        target: LABEL,
        what: 'one shared atomic, million operations/s',
        published: SHARED,
        predicted: curve(shared),
      },
      ...{ band: '80 CPUs no better than 10', ok: shared.get(80)! <= shared.get(10)! },
    },
    {
      ...{
        target: LABEL,
        what: 'per-CPU deltas, million operations/s',
        published: SHARDED,
        predicted: curve(sharded),
      },
      ...{ band: 'at least 0.95 a CPU of one', ok: perCore >= 0.95 },
    },
  ]
}

export const t9: Target = { name: 'T9 reference counts', label: LABEL, run }
