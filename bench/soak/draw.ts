// Forms of scenarios that are drawn: 1 to 4 CPUs, 1 to 16 operations, 1 to 8 pages, and keys of the configuration,
// small values of limits among them. The same form from the same seed and number. Leaves out hunting them.
import { scenarioSettings, type ScenarioFile } from '../../src/catalog/scenarios.ts'
import type { Sizes } from '../../src/explore/shrink.ts'
import { ExecutionRandom } from '../../src/step/random.ts'

export interface DrawnForm extends Sizes {
  /** KEY=VALUE. */
  readonly config: readonly string[]
}

/** A key, its values, and one form in how many has one of them. */
const KEYS: readonly (readonly [key: string, values: readonly string[], oneIn: number])[] = [
  ['VMA_LOCK', ['y'], 3],
  ['PTLOCK', ['mm', 'pte', 'hashed'], 3],
  ['MMU_GATHER_BUNDLE', ['1', '2', '3'], 3],
  ['COW_REUSE', ['refcount', 'mapcount'], 6],
  ['FAULT_LOCKING', ['2.6.10'], 8],
  ['PGTABLE_LEVELS', ['4', '5'], 8],
  ['TICK', ['1', '7'], 6],
]
/** Those of swap, for scenarios that have it. */
const SWAP_KEYS: typeof KEYS = [
  ['SWAP_MAP_MAX', ['1', '2'], 3],
  ['MEMCG', ['y'], 6],
]
const MOST: Sizes = { cpus: 4, operations: 16, pages: 8 }

/** Form `number` of `scenario`: keys that the scenario sets by itself stay. */
export function drawForm(scenario: ScenarioFile, seed: number, number: number): DrawnForm {
  const random = new ExecutionRandom(seed, number)
  const own = scenarioSettings(scenario)
  const sizes = {
    cpus: 1 + random.below(MOST.cpus),
    // Small ones as often as large ones.
    operations: 2 ** random.below(1 + Math.log2(MOST.operations)),
    pages: 1 + random.below(MOST.pages),
  }
  const keys = [...KEYS, ...(own.includes('SWAP=y') ? SWAP_KEYS : [])]
  const config = keys.flatMap(([key, values, oneIn]) => {
    const value = values[random.below(values.length * oneIn)]
    return value === undefined || own.some((setting) => setting.startsWith(`${key}=`))
      ? []
      : [`${key}=${value}`]
  })
  return { ...sizes, config }
}
