// What a scenario declares of its hunt in its head comment, beside `@config` (scenarios.ts):
//
//   @form cpus=3 operations=4 pages=2 VMA_LOCK=y   sizes of a hunt, and settings; a hunt takes the first, the tests
//                                                  hunt all of them
//   @reaches do_wp_page, pgmigrate_success         functions, events and retries that a hunt of the first form reaches
//   @expects pswpout in 20                         that event is counted at least once in so many executions
//
// Leaves out which names there are: src/hunt/expectations.ts.
import { readFileSync } from 'node:fs'
import { BOUNDS, type Bounds, expectedInteger } from '../base/bounds.ts'
import { UsageError } from '../base/errors.ts'
import { didYouMean } from '../base/nearest.ts'
import { headComment, type ScenarioFile, scenarioLabel } from './scenarios.ts'

/** Sizes of a hunt, and settings (KEY=VALUE) beside those of `@config`. */
export interface ScenarioForm {
  readonly cpus?: number
  readonly operations?: number
  readonly pages?: number
  readonly config: readonly string[]
}

/** `event` is counted at least once in `executions` executions. */
export interface Expectation {
  readonly event: string
  readonly executions: number
}

export interface Declaration {
  readonly forms: readonly ScenarioForm[]
  /** Names as written, each once. */
  readonly reaches: readonly string[]
  readonly expects: readonly Expectation[]
}

const SIZES = ['cpus', 'operations', 'pages'] as const

/** What the head comment of a scenario declares. Throws UsageError for a line that cannot be read. */
export function scenarioDeclaration(scenario: ScenarioFile): Declaration {
  const forms: ScenarioForm[] = []
  const reaches = new Set<string>()
  const expects: Expectation[] = []
  for (const line of headComment(readFileSync(scenario.file, 'utf8'))) {
    const [, tag, text] = /^@(form|reaches|expects)\s+(.*)$/.exec(line) ?? []
    const refuse = (what: string): never => {
      throw new UsageError(`${scenarioLabel(scenario)}: @${tag} ${text}: ${what}.`)
    }
    if (tag === 'form') forms.push(readForm(text, refuse))
    else if (tag === 'reaches') for (const name of listed(text)) reaches.add(name)
    else if (tag === 'expects') expects.push(...readExpectations(text, refuse))
  }
  return { forms, reaches: [...reaches], expects }
}

/** `cpus=3 pages=2 VMA_LOCK=y`. Capital letters are a key of the configuration, which has its own parser. */
function readForm(text: string, refuse: (what: string) => never): ScenarioForm {
  const sizes: { cpus?: number; operations?: number; pages?: number } = {}
  const config: string[] = []
  for (const word of text.split(/\s+/)) {
    const [, name, value] = /^(\w+)=(.+)$/.exec(word) ?? refuse('expected NAME=VALUE, such as cpus=3')
    if (/^[A-Z]/.test(name)) {
      config.push(word)
      continue
    }
    const size = SIZES.find((known) => known === name)
    if (size === undefined)
      return refuse(`expected cpus, operations or pages, or a configuration key${didYouMean(name, SIZES)}`)
    const bounds: Bounds = BOUNDS.hunt[size]
    const number = /^\d+$/.test(value) ? Number(value) : Number.NaN
    if (!(number >= bounds[0] && number <= bounds[1])) refuse(`${name} is ${expectedInteger(bounds)}`)
    sizes[size] = number
  }
  return { ...sizes, config }
}

/** `pswpin, pswpout in 20`: both in 20. */
function readExpectations(text: string, refuse: (what: string) => never): Expectation[] {
  const [, names, executions] =
    /^(.+?)\s+in\s+(\d+)$/.exec(text) ?? refuse('expected EVENT in EXECUTIONS, such as pswpout in 20')
  return listed(names).map((event) => ({ event, executions: Math.max(1, Number(executions)) }))
}

function listed(text: string): string[] {
  return text.split(/[\s,]+/).filter((name) => name !== '')
}
