// `mmtorture list`: what there is to choose from. Answers without loading kbuild's parser.
import { CONFIG_KEYS } from '../../kbuild/config.ts'
import { table } from '../../base/text.ts'
import { UsageError } from '../../base/errors.ts'
import { checkWritable, writeResult, writeStdout } from '../../base/output.ts'
import { builtInScenarios, describeScenario } from '../../catalog/scenarios.ts'

/** One thing that can be chosen. */
interface Entry {
  readonly name: string
  readonly description: string
  readonly values?: string
  readonly default?: string
  /** Of a revert: where it is found. */
  readonly scenario?: string
  /** Of a check: at every step, at rest, or by the machine; and its cost. */
  readonly when?: string
  readonly cost?: string
}

export const TOPICS = ['scenarios', 'config', 'topologies', 'reverts', 'schedulers', 'checks'] as const
type Topic = (typeof TOPICS)[number]

/** Prints the lists: of one topic, or of all. */
export async function listCommand(topic: string | undefined, options: { json?: string }): Promise<void> {
  if (topic !== undefined && !TOPICS.includes(topic as Topic))
    throw new UsageError(`list ${topic}: expected one of ${TOPICS.join(', ')}.`)
  checkWritable('list', options)
  const topics: readonly Topic[] = topic === undefined ? TOPICS : [topic as Topic]
  const lists = await Promise.all(topics.map(async (name) => [name, await entries(name)] as const))
  if (options.json !== undefined) {
    const document = { schema: 'mmtorture/list@1', ...Object.fromEntries(lists) }
    const text = `${JSON.stringify(document, null, 2)}\n`
    if (options.json === '-') await writeStdout(text)
    else writeResult(options.json, text)
    return
  }
  await writeStdout(lists.map(([name, list]) => format(name, list)).join('\n'))
}

async function entries(topic: Topic): Promise<Entry[]> {
  switch (topic) {
    case 'scenarios':
      return builtInScenarios().map((scenario) => ({
        name: scenario.name,
        description: describeScenario(scenario),
      }))
    case 'config':
      return CONFIG_KEYS.map(({ name, description, values, default: initial }) => ({
        name,
        description,
        values,
        default: initial,
      }))
    case 'topologies': {
      const { builtInTopologies, HOST, HOST_FILE, readTopology } = await import('../../catalog/topologies.ts')
      return [
        ...builtInTopologies().map(({ name, file }) => ({
          name,
          description: readTopology(file).description,
        })),
        {
          name: HOST,
          description: `this machine: mmtorture scale --calibrate measures it into ${HOST_FILE}`,
        },
      ]
    }
    case 'checks': {
      const { allChecks } = await import('../../catalog/checks.ts')
      return allChecks().map(({ name, description, when, cost }) => ({ name, description, when, cost }))
    }
    case 'reverts': {
      const { listReverts } = await import('../../catalog/reverts.ts')
      return listReverts().map(({ id, description, scenario }) => ({ name: id, description, scenario }))
    }
    case 'schedulers': {
      const { SCHEDULERS } = await import('../../explore/schedulers/index.ts')
      return SCHEDULERS.map(({ name, description }) => ({ name, description }))
    }
  }
}

function format(topic: Topic, list: readonly Entry[]): string {
  if (list.length === 0) return `${topic}: none yet\n`
  const rows = list.map((entry) =>
    entry.values === undefined
      ? [`  ${entry.name}`, entry.description + aside(entry)]
      : [`  ${entry.name}=${entry.default}`, `${entry.description} (${entry.values})`],
  )
  return `${[`${topic}:`, ...table([['', ''], ...rows]).slice(1)].join('\n')}\n`
}

/** What else there is to know of it. */
function aside({ scenario, when, cost }: Entry): string {
  if (scenario !== undefined && scenario !== '') return ` (scenario: ${scenario})`
  return when === 'step' ? ` (costs: ${cost})` : ''
}
