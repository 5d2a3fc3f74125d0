// What lock statistics cost: page-fault-disjoint on two CPUs with LOCK_STAT=y against LOCK_STAT=n.
import { SmpMachine } from '../../src/machine/smp/machine.ts'
import { scenarioImage } from '../images.ts'
import { type Benchmark, type Effort, type Ratio, ratio } from '../ratio.ts'
import { interleave, median, medianRatio } from '../samples.ts'

const NAME = 'cost of LOCK_STAT=y on page-fault-disjoint, 2 CPUs'
const CPUS = 2

async function measure({ rounds, window }: Effort): Promise<Ratio[]> {
  const boot = async (value: string): Promise<SmpMachine> =>
    SmpMachine.boot(await scenarioImage('page-fault-disjoint', `LOCK_STAT=${value}`), {
      cpus: CPUS,
      seed: 1,
      cores: CPUS,
    })
  const off = await boot('n')
  const on = await boot('y')
  const throughput = async (machine: SmpMachine): Promise<number> => {
    const before = machine.operations()
    const { seconds } = await machine.run(window)
    return (machine.operations() - before) / seconds
  }
  try {
    const samples = await interleave(rounds, 1, { off: () => throughput(off), on: () => throughput(on) })
    const cost = (1 - medianRatio(samples.on, samples.off)) * 100
    const detail =
      `${(median(samples.on) / 1e6).toFixed(2)} M operations/s, without ` +
      `${(median(samples.off) / 1e6).toFixed(2)} M`
    return [ratio(NAME, cost, 'at most', 25, detail, '%')]
  } finally {
    await Promise.all([off.shutdown(), on.shutdown()])
  }
}

export const lockStat: Benchmark = { names: [NAME], run: measure }
