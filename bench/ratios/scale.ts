// The clock's speed: accesses a second on 128 CPUs, a whole sweep, and the memory of 256 CPUs. By CPU time, since the
// host may be busy.
import { join } from 'node:path'
import { findTopology } from '../../src/catalog/topologies.ts'
import { kbuild, loadSteppedImage, parseConfig } from '../../src/kbuild/index.ts'
import { packageRoot } from '../../src/base/root.ts'
import { ClockMachine } from '../../src/machine/clock/machine.ts'
import { compileTopology } from '../../src/machine/clock/topology.ts'
import { type Benchmark, type Effort, type Ratio, ratio } from '../ratio.ts'
import { median } from '../samples.ts'

const ACCESSES = 'scale: accesses a second with the clock, 128 CPUs'
const LAGGED = 'scale: accesses a second with a lag of 100 cycles, 128 CPUs'
const SWEEP = 'scale: sweep of 8 points to 128 CPUs, three page-table locks, 200 faults a CPU'
const MEMORY = 'scale: memory for 256 CPUs'

const SETTINGS = ['MEMORY=512M', 'TICK=4000', 'NR_CPUS=256']
/** A store and a load for each fault. */
const OPERATIONS = 400
const LAG = 40_000

type Run = (cpus: number, lag: number) => { accesses: number; seconds: number }

async function runner(ptlock: string): Promise<Run> {
  const config = parseConfig([...SETTINGS, `PTLOCK=${ptlock}`])
  const scenario = join(packageRoot(), 'scenarios', 'page-fault-disjoint.ts')
  const image = await kbuild(config, { scenario, image: 'stepped' })
  const boot = await loadSteppedImage(image)
  const { topology, boxes } = findTopology('rome')
  let booted: Int32Array | undefined
  return (cpus, lag) => {
    const hardware = compileTopology(topology, boxes, cpus)
    const machine = new ClockMachine(boot, image.symbols, {
      ...{ hardware, seed: 1, lag, pages: 0, section: 0, think: 0 },
      ...(booted === undefined ? {} : { booted }),
    })
    booted = machine.booted
    const begin = process.cpuUsage()
    const { figures } = machine.run({ operations: OPERATIONS, time: Infinity })
    const { user, system } = process.cpuUsage(begin)
    return { accesses: figures.accesses, seconds: (user + system) / 1e6 }
  }
}

async function speed({ rounds }: Effort): Promise<Ratio[]> {
  const run = await runner('pte')
  const rates = (lag: number): number[] =>
    Array.from({ length: Math.max(2, rounds >> 2) }, () => {
      const { accesses, seconds } = run(128, lag)
      return accesses / seconds / 1e6
    })
  // The first run compiles.
  run(128, 0)
  const detail = (lag: string): string => `million/s of CPU time, page-fault-disjoint on rome, ${lag}`
  return [
    ratio(ACCESSES, median(rates(0)), 'at least', 2, detail('exact'), 'million/s'),
    ratio(LAGGED, median(rates(LAG)), 'at least', 2, detail('not exact'), 'million/s'),
  ]
}

async function sweep(): Promise<Ratio[]> {
  const begin = process.cpuUsage()
  for (const ptlock of ['mm', 'pte', 'pmd']) {
    const run = await runner(ptlock)
    for (let cpus = 1; cpus <= 128; cpus *= 2) run(cpus, 0)
  }
  const { user, system } = process.cpuUsage(begin)
  return [ratio(SWEEP, (user + system) / 1e6, 'at most', 25, 'CPU time, images included', 's')]
}

async function memory(): Promise<Ratio[]> {
  const run = await runner('pte')
  run(256, 0)
  const mib = process.resourceUsage().maxRSS / 1024
  return [ratio(MEMORY, mib, 'at most', 1024, "the process's greatest, whatever it measured before", 'MiB')]
}

/** Three benchmarks of the clock. */
export const scales: readonly Benchmark[] = [
  { names: [MEMORY], run: memory },
  { names: [ACCESSES, LAGGED], run: speed },
  { names: [SWEEP], run: sweep },
]
