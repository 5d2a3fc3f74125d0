// T6: collapse of a ticket lock and the plateau of a queue lock against the Markov model, which knows one cost: the
// refetch of the line that the owner's number is in. So does the topology here; all else takes no time. The lock that
// is judged draws tickets on a line of its own, as the model has it. On the built-in one, as on Linux's, whoever comes
// takes the waiters' line: it is shown beside.
import type { Topology } from '../../src/machine/clock/topology.ts'
import { Bench } from '../clock.ts'
import { type LockModel, lockThroughput, peakOf } from '../markov.ts'
import { type Row, type Target, within } from '../target.ts'

const SETS: readonly [string, LockModel][] = [
  ['A', { section: 100, refetch: 25, think: 2400 }],
  ['B', { section: 100, refetch: 118, think: 2400 }],
  ['C', { section: 40, refetch: 118, think: 2400 }],
  ['D', { section: 40, refetch: 118, think: 1000 }],
]
const SETTINGS = ['MEMORY=64M', 'NR_CPUS=128', 'TICK=1000000000']
const MOST = 128

/**
 * Every CPU as far from every other: a load of a line that another CPU wrote takes `refetch` ns, anything else no time.
 */
function flat(refetch: number): Topology {
  return {
    name: 'flat',
    description: 'one cost: the refetch of a line',
    sources: [],
    unit: 'ns',
    cpus: 256,
    levels: [{ name: 'all', cpus: 256, load: refetch, loadShared: refetch, store: 0, storeShared: 0 }],
    costs: {
      ...{ instructions: 0, hit: 0, atomic: 0, llc: refetch, memory: 0, clearPage: 0, copyPage: 0 },
      ...{ exception: 0, interruptSend: 0, interruptDelivery: 0 },
    },
    caches: { private: 524288, llc: 33554432, llcCpus: 1 },
  }
}

/**
 * Operations that make a point precise to about 1 %: waits are of exponential distribution, and correlated where they
 * queue.
 */
function operations(cpus: number, peak: number): number {
  return cpus >= 2 * peak ? 100 : Math.ceil(40_000 / cpus)
}

async function run(tell: (text: string) => void): Promise<Row[]> {
  const rows: Row[] = []
  for (const [name, model] of SETS) {
    tell(`T6 ${name}`)
    const { section, refetch, think } = model
    const ticket = await Bench.of('validation/scenarios/ticket-two-lines.ts', SETTINGS, flat(refetch))
    const predict = (bench: Bench, cpus: number, count: number): number =>
      bench.point({ cpus, operations: count, section, think }).operationsPerSecond / 1e6
    const peak = peakOf(model, MOST)
    const label = `T6 ${name}: s ${section}, c ${refetch}, a ${think} ns`
    const rising = [...new Set([1, 2, Math.round(peak / 2), Math.floor(0.7 * peak)])]
    const falling = [2 * peak, 3 * peak, 64, MOST].filter(
      (cpus, index, all) => cpus <= MOST && cpus >= 2 * peak && all.indexOf(cpus) === index,
    )
    for (const cpus of rising)
      rows.push(judged(label, cpus, model, predict(ticket, cpus, operations(cpus, peak)), 0.05))
    // The knee: the highest of the clock's own points around it.
    let best = 0
    let bestRate = 0
    for (let cpus = Math.max(2, peak - 5); cpus <= peak + 5; cpus++) {
      const rate = predict(ticket, cpus, operations(cpus, peak))
      if (cpus === peak) rows.push({ ...judged(label, cpus, model, rate, 1), band: 'shown', ok: undefined })
      if (rate > bestRate) {
        bestRate = rate
        best = cpus
      }
    }
    rows.push({
      ...{
        target: label,
        what: 'ticket lock of two lines: CPUs at the peak',
        published: String(peak),
        predicted: String(best),
      },
      ...{ band: '2 CPUs', ok: Math.abs(best - peak) <= 2 },
    })
    for (const cpus of falling)
      rows.push(judged(label, cpus, model, predict(ticket, cpus, operations(cpus, peak)), 0.15))
    const queue = await Bench.of('scenarios/lock-torture.ts', [...SETTINGS, 'SPINLOCK=mcs'], flat(refetch))
    const plateau = lockThroughput(64, model, true)
    rows.push(
      within(label, 'queue lock (mcs), 64 CPUs, operations/us', plateau, predict(queue, 64, 200), 0.05),
    )
    const linux = await Bench.of('scenarios/lock-torture.ts', [...SETTINGS, 'SPINLOCK=ticket'], flat(refetch))
    const around = Array.from({ length: 11 }, (_, i) => peak - 8 + i).filter((cpus) => cpus >= 2)
    const knee = around.map((cpus) => [cpus, predict(linux, cpus, 1000)] as const)
    const [highest] = knee.reduce((one, other) => (other[1] > one[1] ? other : one))
    rows.push({
      ...{ target: label, what: 'SPINLOCK=ticket: CPUs at the peak', published: String(peak) },
      ...{ predicted: String(highest), band: 'shown', ok: undefined },
    })
    for (const cpus of [2 * peak, 64, MOST]) {
      const what = `SPINLOCK=ticket, ${cpus} CPUs, operations/us`
      rows.push({
        ...within(label, what, lockThroughput(cpus, model, false), predict(linux, cpus, 60), 1),
        ...{ band: 'shown', ok: undefined },
      })
    }
  }
  return rows
}

function judged(label: string, cpus: number, model: LockModel, predicted: number, band: number): Row {
  const what = `ticket lock of two lines, ${cpus} CPU${cpus === 1 ? '' : 's'}, operations/us`
  return within(label, what, lockThroughput(cpus, model, false), predicted, band)
}

export const t6: Target = { name: 'T6 lock collapse', label: 'T6 ', run }
