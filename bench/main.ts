// `npm run bench`: measures every ratio that the project holds itself to, and prints each with its target. Options:
// --quick (fewer samples), --json (one document on stdout), and words; with words only ratios whose names contain one
// of them are measured.
import { availableParallelism, loadavg } from 'node:os'
import { parseArgs } from 'node:util'
import { formatRatio, formatSummary } from './format.ts'
import type { Effort, Ratio } from './ratio.ts'
import { disjoint, fault } from './ratios/fault.ts'
import { fork } from './ratios/fork.ts'
import { getPut } from './ratios/get_put.ts'
import { hunts } from './ratios/hunt.ts'
import { lockStat } from './ratios/lock_stat.ts'
import { scales } from './ratios/scale.ts'
import { spinlocks } from './ratios/spinlocks.ts'
import { swaps } from './ratios/swap.ts'
import { boot, list, memory } from './ratios/startup.ts'

const BENCHMARKS = [
  getPut,
  fault,
  fork,
  disjoint,
  ...spinlocks,
  lockStat,
  ...hunts,
  ...scales,
  ...swaps,
  boot,
  list,
  memory,
]
const FULL: Effort = { rounds: 15, warmup: 40, window: 250 }
const QUICK: Effort = { rounds: 3, warmup: 10, window: 100 }

process.exitCode = await main(process.argv.slice(2))

async function main(args: readonly string[]): Promise<number> {
  let options: ReturnType<typeof parse>
  try {
    options = parse(args)
  } catch (error) {
    process.stderr.write(`bench: ${(error as Error).message}\n`)
    return 2
  }
  const { quick, json, words } = options
  const wanted = (name: string): boolean =>
    words.length === 0 || words.some((word) => name.toLowerCase().includes(word.toLowerCase()))
  const chosen = BENCHMARKS.filter(({ names }) => names.some(wanted))
  if (chosen.length === 0) {
    const names = BENCHMARKS.flatMap((benchmark) => benchmark.names)
    process.stderr.write(
      `bench: no ratio is named so; there are:\n${names.map((name) => `  ${name}\n`).join('')}`,
    )
    return 2
  }
  const begin = performance.now()
  const results: Ratio[] = []
  for (const benchmark of chosen) {
    for (const result of await benchmark.run(quick ? QUICK : FULL)) {
      if (!wanted(result.name)) continue
      results.push(result)
      if (!json) process.stdout.write(formatRatio(result))
    }
  }
  const seconds = (performance.now() - begin) / 1000
  const [load] = loadavg()
  const cores = availableParallelism()
  process.stdout.write(
    json
      ? `${JSON.stringify({ schema: 'mmtorture/bench@1', seconds, load, cores, ratios: results }, null, 2)}\n`
      : formatSummary(results, seconds, load, cores),
  )
  return 0
}

function parse(args: readonly string[]): { quick: boolean; json: boolean; words: string[] } {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { quick: { type: 'boolean', default: false }, json: { type: 'boolean', default: false } },
  })
  return { quick: values.quick, json: values.json, words: positionals }
}
