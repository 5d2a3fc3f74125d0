// Equal seeds give equal figures, and another order of equals hardly other ones.
import { Bench } from '../clock.ts'
import { type Row, type Target } from '../target.ts'

const LABEL = 'Seeds'
const SEEDS = [1, 2, 3]

async function run(tell: (text: string) => void): Promise<Row[]> {
  tell('seeds')
  const rows: Row[] = []
  for (const [scenario, settings, cpus] of [
    ['page-fault-disjoint', ['PTLOCK=mm', 'SPINLOCK=tas', 'FAULT_LOCKING=2.6.10'], [2, 8, 64]],
    ['page-fault-disjoint', ['PTLOCK=pte'], [2, 8, 64]],
    ['page-fault-interleaved', ['PTLOCK=pte'], [2, 4, 16]],
    ['fork-storm', [], [2]],
    ['refcount-torture', ['REFCOUNT=atomic', 'MEMORY=64M'], [8, 64]],
    ['lock-torture', ['SPINLOCK=ticket', 'MEMORY=64M'], [16]],
    ['lock-torture', ['SPINLOCK=mcs', 'MEMORY=64M'], [16]],
    ['lock-torture', ['SPINLOCK=qspinlock', 'MEMORY=64M'], [8, 16]],
  ] as const) {
    const bench = await Bench.of(`scenarios/${scenario}.ts`, settings, 'milan')
    for (const count of cpus) {
      const rates = SEEDS.map(
        (seed) => bench.point({ cpus: count, operations: 1000, seed }).operationsPerSecond,
      )
      const again = bench.point({ cpus: count, operations: 1000, seed: 1 }).operationsPerSecond
      const spread = Math.max(...rates) / Math.min(...rates) - 1
      rows.push({
        ...{ target: LABEL, what: `${[scenario, ...settings].join(' ')}, ${count} CPUs`, published: '' },
        predicted: `${(spread * 100).toFixed(2)} % between seeds ${SEEDS.join(', ')}`,
        ...{ band: '3 %; equal seeds equal', ok: spread <= 0.03 && again === rates[0] },
      })
    }
  }
  return rows
}

export const seeds: Target = { name: 'seeds', label: LABEL, run }
