// T1: one page_table_lock for all PTEs (C. Lameter, 2004, 512 CPUs, 2.6.10, pages of 16 KiB that take 15 us to clear),
// and what came after. That machine has two CPUs a node: a third thread pays for the way to another node. Ten CPUs of
// the topology share a die; so they are spread over the sockets, and the curve of CPUs side by side is shown next to
// that.
import { clockPoint } from '../../src/scale/point.ts'
import { Bench } from '../clock.ts'
import { figure, type Row, type Target } from '../target.ts'

const PUBLISHED: Readonly<Record<number, number>> = {
  1: 1,
  2: 1.78,
  4: 3.14,
  8: 2.63,
  16: 1.89,
  32: 1.19,
  64: 0.71,
  128: 0.42,
}
const CPUS = [1, 2, 4, 8, 16, 32, 64, 128]
/** Where the published curve has no point. */
const BETWEEN = [1, 6, 10, 12, 14]
const SCENARIO = 'scenarios/page-fault-disjoint.ts'
const TOPOLOGY = 'xeon80x2'
/** A memory node a socket. */
const NODES = 'NODES=16'
/** 2.13 GHz. */
const CLEAR_15_US = 31_950
/** Clearing the 4 KiB of the model's page at that speed. */
const CLEAR_4_KIB = CLEAR_15_US / 4
const LABEL = 'T1: one lock for all PTEs'

async function speedups(
  settings: readonly string[],
  clearPage: number | undefined,
  spread = true,
  counts = CPUS,
): Promise<Map<number, number>> {
  const costs = clearPage === undefined ? {} : { clearPage }
  const bench = await Bench.of(SCENARIO, settings, TOPOLOGY, { costs, spread })
  const rates = counts.map((cpus) => [cpus, bench.point({ cpus, operations: 400 }).faultsPerSecond] as const)
  return new Map(rates.map(([cpus, rate]) => [cpus, rate / rates[0][1]]))
}

function curve(points: ReadonlyMap<number, number>): string {
  return [...points].map(([cpus, speedup]) => `${figure(speedup)}@${cpus}`).join(' ')
}

function peak(points: ReadonlyMap<number, number>): number {
  return [...points].reduce((best, one) => (one[1] > best[1] ? one : best))[0]
}

function shown(what: string, points: ReadonlyMap<number, number>): Row {
  return { target: LABEL, what, published: '', predicted: curve(points), band: 'shown', ok: undefined }
}

/** The four rows by which a curve is judged. */
function judged(what: string, points: ReadonlyMap<number, number>): Row[] {
  const row = (name: string, published: string, predicted: string, band: string, ok: boolean): Row => ({
    ...{ target: LABEL, what: `${what}: ${name}`, published, predicted, band, ok },
  })
  return [
    {
      ...shown(`${what}: speedup`, points),
      published: curve(new Map(Object.entries(PUBLISHED).map(([cpus, s]) => [Number(cpus), s]))),
    },
    row(
      'peak of the published points at',
      '4',
      String(peak(points)),
      '3 to 8',
      peak(points) >= 3 && peak(points) <= 8,
    ),
    row('64 CPUs', '0.71', figure(points.get(64)!), 'below 1', points.get(64)! < 1),
    row('128 CPUs', '0.42', figure(points.get(128)!), 'below 0.6', points.get(128)! < 0.6),
  ]
}

async function run(tell: (text: string) => void): Promise<Row[]> {
  const then = ['PTLOCK=mm', 'SPINLOCK=tas', 'FAULT_LOCKING=2.6.10']
  const rows: Row[] = []
  tell('T1 2.6.10')
  rows.push(...judged('2.6.10, test-and-set, 15 us of clearing', await speedups(then, CLEAR_15_US)))
  rows.push(
    shown(
      '2.6.10, test-and-set, 15 us of clearing: between the published points',
      await speedups(then, CLEAR_15_US, true, BETWEEN),
    ),
  )
  rows.push(
    ...judged('2.6.10, test-and-set, 3.75 us (4 KiB at that speed)', await speedups(then, CLEAR_4_KIB)),
  )
  rows.push(
    shown(
      '2.6.10, test-and-set, 15 us, ten CPUs to a die before the next',
      await speedups(then, CLEAR_15_US, false),
    ),
  )
  tell('T1 today')
  rows.push(
    shown('6.1 (one hold), test-and-set, 15 us', await speedups(['PTLOCK=mm', 'SPINLOCK=tas'], CLEAR_15_US)),
  )
  const queue = await speedups(['PTLOCK=mm', 'SPINLOCK=qspinlock', 'FAULT_LOCKING=2.6.10'], CLEAR_15_US)
  rows.push({
    ...shown('2.6.10, qspinlock, 15 us: plateaus', queue),
    ...{ band: '128 at least 0.6 of 32', ok: queue.get(128)! >= 0.6 * queue.get(32)! },
  })
  tell('T1 split')
  const mm = await speedups(['PTLOCK=mm', 'SPINLOCK=tas'], undefined)
  const pte = await speedups(['PTLOCK=pte', 'SPINLOCK=tas'], undefined)
  const better = [2, 4, 8].every((cpus) => pte.get(cpus)! >= mm.get(cpus)!)
  rows.push({
    ...{ target: LABEL, what: 'PTLOCK=pte against mm, up to 8 CPUs', published: 'better' },
    ...{ predicted: `${figure(pte.get(8)!)} against ${figure(mm.get(8)!)} at 8`, band: 'better', ok: better },
  })
  const bench = await Bench.of(SCENARIO, ['PTLOCK=pte'], TOPOLOGY, { spread: true })
  const { machine } = bench.point({ cpus: 128, operations: 400 })
  const { bound } = clockPoint(machine, machine.figures, 0, 128, machine.window)
  rows.push({
    ...{ target: LABEL, what: 'PTLOCK=pte, 128 CPUs: what binds it', published: 'mmap_lock' },
    ...{ predicted: bound, band: 'named', ok: bound.includes('mmap_lock') },
  })
  const areas = ['PTLOCK=pte', 'VMA_LOCK=y', 'AREAS=each']
  const nodes = await speedups([...areas, NODES], undefined)
  rows.push(
    {
      ...shown('PTLOCK=pte, VMA_LOCK=y, a VMA a CPU', nodes),
      ...{ published: 'scales on', band: 'at least 64 at 128', ok: nodes.get(128)! >= 64 },
    },
    shown('the same with all memory in one node: zone->lock binds', await speedups(areas, undefined)),
  )
  return rows
}

export const t1: Target = { name: 'T1 one page-table lock', label: LABEL, run }
