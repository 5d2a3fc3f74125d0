// `mmtorture completion SHELL`: prints the script that makes a shell complete the command. Leaves out the script:
// completion.ts.
import type { Command } from 'commander'
import { UsageError } from '../../base/errors.ts'
import { didYouMean } from '../../base/nearest.ts'
import { writeStdout } from '../../base/output.ts'
import { allChecks } from '../../catalog/checks.ts'
import { listReverts } from '../../catalog/reverts.ts'
import { namedScenarios } from '../../catalog/scenarios.ts'
import { builtInTopologies, HOST } from '../../catalog/topologies.ts'
import { builtInNames } from '../../judge/candidate.ts'
import { SCHEDULERS } from '../../explore/schedulers/index.ts'
import { CONFIG_KEYS } from '../../kbuild/config.ts'
import { completionScript, type Shell, SHELLS, type Vocabulary } from '../completion.ts'
import { TOPICS } from './list.ts'

/** Prints the script. Throws UsageError for a shell that there is none for. */
export async function completionCommand(shell: string, program: Command): Promise<void> {
  if (!SHELLS.includes(shell as Shell))
    throw new UsageError(
      `completion ${shell}: expected one of ${SHELLS.join(', ')}${didYouMean(shell, SHELLS)}.`,
    )
  await writeStdout(completionScript(shell as Shell, program, vocabulary()))
}

function vocabulary(): Vocabulary {
  const scenarios = namedScenarios().map(({ name }) => name)
  // Those that can be left out; a name of two words would be taken for two.
  const named = allChecks().filter(({ name, when }) => when !== 'machine' && !name.includes(' '))
  const checks = [...named.map(({ name }) => name), 'steps', 'rest']
  return {
    names: {
      ...{ scenario: scenarios, scenarios, topic: TOPICS, shell: SHELLS },
      files: [...builtInNames('design'), ...builtInNames('spinlock')],
      '--scenario': scenarios,
      '--revert': listReverts().map(({ id }) => id),
      '--topology': [...builtInTopologies().map(({ name }) => name), HOST],
      '--scheduler': SCHEDULERS.map(({ name }) => name),
      '--check': checks,
      '--no-check': checks,
    },
    config: Object.fromEntries(CONFIG_KEYS.map(({ name, choices = [] }) => [name, choices])),
  }
}
