// page-fault-disjoint on more CPUs than cores against as many CPUs as cores, for each spinlock: what parking and
// stealing are for.
import { SmpMachine } from '../../src/machine/smp/machine.ts'
import { scenarioImage } from '../images.ts'
import { type Benchmark, type Effort, type Ratio, ratio } from '../ratio.ts'
import { interleave, median, medianRatio } from '../samples.ts'

/** First come, first served locks only have to make progress: each hand-over may wait for a CPU that does not run. */
const TARGETS: Readonly<Record<string, number>> = {
  tas: 0.8,
  ttas: 0.8,
  pvqspinlock: 0.4,
  qspinlock: 0,
  ticket: 0,
  mcs: 0,
}
const FEW = 2
const MANY = 16
const CORES = 2
/**
 * Each CPU compiles the kernel for itself: with many on few cores that takes seconds, and a window must be long against
 * the time slices of the host.
 */
const WARMUP = { [FEW]: 1000, [MANY]: 10_000 }
const WINDOW = 1000
const ROUNDS = 5

const nameOf = (spinlock: string): string =>
  `page-fault-disjoint, ${MANY} CPUs against ${FEW}, SPINLOCK=${spinlock}`

/** Operations a second of one window. */
async function throughput(machine: SmpMachine, window: number): Promise<number> {
  const before = machine.operations()
  const { seconds } = await machine.run(window)
  return (machine.operations() - before) / seconds
}

async function measureOne(spinlock: string, { rounds }: Effort): Promise<Ratio> {
  const quick = rounds <= ROUNDS
  const image = await scenarioImage('page-fault-disjoint', `SPINLOCK=${spinlock}`)
  const few = await SmpMachine.boot(image, { cpus: FEW, seed: 1, cores: CORES })
  const many = await SmpMachine.boot(image, { cpus: MANY, seed: 1, cores: CORES })
  try {
    await few.run(quick ? WINDOW : WARMUP[FEW])
    await many.run(quick ? WINDOW : WARMUP[MANY])
    const samples = await interleave(quick ? 1 : ROUNDS, 0, {
      few: () => throughput(few, WINDOW),
      many: () => throughput(many, WINDOW),
    })
    const figure = medianRatio(samples.many, samples.few)
    const detail =
      `${(median(samples.many) / 1e6).toFixed(2)} M operations/s, ${FEW} CPUs ` +
      `${(median(samples.few) / 1e6).toFixed(2)} M` +
      (TARGETS[spinlock] === 0 ? '; the target is progress in every window' : '')
    const result = ratio(nameOf(spinlock), figure, 'at least', TARGETS[spinlock], detail)
    return TARGETS[spinlock] === 0 ? { ...result, met: Math.min(...samples.many) > 0 } : result
  } finally {
    await Promise.all([few.shutdown(), many.shutdown()])
  }
}

export const spinlocks: readonly Benchmark[] = Object.keys(TARGETS).map((spinlock) => ({
  names: [nameOf(spinlock)],
  run: async (effort) => [await measureOne(spinlock, effort)],
}))
