// `npm run bench:reverts`: how many executions each scheduler needs to find each revert (median of 5 seeds), the checks
// that fire, and the switches that are left after shrinking; printed as the table of docs/hunting.md. Words choose
// reverts by name, --scheduler (repeatable) schedulers; --seconds is the time that one hunt may take (default 60).
// Counts are the same on every machine, as long as no hunt runs out of time.
import { parseArgs } from 'node:util'
import { buildHunt, type Built, makeSmaller } from '../src/hunt/build.ts'
import { DEFAULT_CPUS, DEFAULT_OPERATIONS, DEFAULT_PAGES, planHunt } from '../src/hunt/plan.ts'
import { loadScheduler } from '../src/catalog/scheduler_file.ts'
import { hunt } from '../src/explore/hunt.ts'
import type { HuntViolation } from '../src/explore/rounds.ts'
import { SCHEDULERS } from '../src/explore/schedulers/index.ts'
import { shrink, type Sizes } from '../src/explore/shrink.ts'
import { listReverts, type Revert } from '../src/catalog/reverts.ts'
import { count } from '../src/base/text.ts'
import { median } from './samples.ts'

const SEEDS = [1, 2, 3, 4, 5]

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { seconds: { type: 'string', default: '60' }, scheduler: { type: 'string', multiple: true } },
})
/** Without a wish all but the exhaustive search, which knows no seeds. */
const COMPARED =
  values.scheduler === undefined
    ? SCHEDULERS.filter(({ sequential }) => sequential !== true)
    : await Promise.all(values.scheduler.map(loadScheduler))
const wanted = listReverts().filter(
  ({ id }) => positionals.length === 0 || positionals.some((word) => id.includes(word)),
)
const heading = ['ID', 'check', ...COMPARED.map(({ name }) => name), 'switches']
process.stdout.write(`${row(heading)}${row(heading.map(() => '---'))}`)
for (const revert of wanted) process.stdout.write(row(await measure(revert, Number(values.seconds))))

function row(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |\n`
}

async function measure(revert: Revert, seconds: number): Promise<string[]> {
  const plan = planHunt(undefined, { revert: [revert.id] })
  const sizes: Sizes = {
    cpus: revert.cpus ?? DEFAULT_CPUS,
    operations: revert.operations ?? DEFAULT_OPERATIONS,
    pages: revert.pages ?? DEFAULT_PAGES,
  }
  const checks = new Set<string>()
  const switches: number[] = []
  const executions: number[][] = COMPARED.map(() => [])
  for (const seed of SEEDS) {
    const built = await buildHunt({
      ...{ config: plan.configs[0], scenario: plan.scenario.file, patches: plan.patches },
      ...{ seed, stepLimit: plan.stepLimit, off: [] },
    })
    for (const [index, scheduler] of COMPARED.entries()) {
      const options = { seed, scheduler, sites: built.image.sites.length, seconds }
      const { violations } = hunt(built.make(sizes), options)
      // In the batch that learns it was seen before execution 0, but not by this scheduler.
      const found = violations.find(({ execution }) => execution >= 0)
      executions[index].push(found === undefined ? Infinity : found.execution + 1)
      if (found === undefined) continue
      checks.add(found.check)
      if (index === 0) switches.push(await switchesLeft(built, sizes, found))
    }
  }
  const figure = (value: number): string => (Number.isFinite(value) ? count(value) : 'not found')
  return [
    `\`${revert.id}\``,
    [...checks].toSorted().join(', '),
    ...executions.map((of) => figure(median(of))),
    switches.length === 0 ? '' : figure(median(switches)),
  ]
}

async function switchesLeft(built: Built, sizes: Sizes, violation: HuntViolation): Promise<number> {
  const shrunk = await shrink(built.make(sizes), violation.check, violation, {
    sizes,
    make: makeSmaller(built),
  })
  return shrunk?.switches ?? Infinity
}
