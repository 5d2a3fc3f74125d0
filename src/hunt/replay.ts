// Builds the kernel of a replay file again and runs its schedule: the violation, or the first difference, if the kernel
// is another by now. Leaves out the file's form: src/explore/replay_file.ts; and the document's text: src/report.
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { replay } from '../explore/replay.ts'
import { type DescribeStep, parseReplay, type ReplayFile } from '../explore/replay_file.ts'
import { parseConfig } from '../kbuild/config.ts'
import { readRevert } from '../catalog/reverts.ts'
import { packageRoot } from '../base/root.ts'
import { type ViolationReport, violationReport } from './report.ts'
import { type Description, describeRun } from './violation.ts'
import { shellQuote } from '../base/shell.ts'
import { existingFile } from '../base/paths.ts'
import { allChecks } from '../catalog/checks.ts'
import { UsageError } from '../base/errors.ts'
import { type Built, buildHunt } from './build.ts'
import { guarded } from '../machine/explain.ts'
import { DEFAULT_STEP_LIMIT } from './plan.ts'
import { writeResult } from '../base/output.ts'
import { findScenario } from '../catalog/scenarios.ts'

/** The document of a replay (schema mmtorture/replay-report@1). */
export interface ReplayReport {
  readonly schema: 'mmtorture/replay-report@1'
  readonly file: string
  readonly scenario: string
  readonly image: string
  /** The image is the one that the file was made with. */
  readonly sameImage: boolean
  readonly violation: ViolationReport
  readonly verdict: 'violated'
}

/** A replay: its document, and the violation's description. */
export interface Replayed {
  readonly report: ReplayReport
  readonly description: Description
  readonly file: ReplayFile
}

/**
 * Replays a file by its path, or one that was read. Throws UsageError for a file that is none, and for the first
 * difference.
 */
export async function replayRecorded(source: string | object, verbose = false): Promise<Replayed> {
  const path = typeof source === 'string' ? source : 'the replay'
  const text =
    typeof source === 'string' ? readFileSync(existingFile('replay', source), 'utf8') : JSON.stringify(source)
  const file = parseReplay(text, path)
  const built = await build(file, path)
  const { image } = built
  const { cpus } = file.sizes
  const root = packageRoot()
  const { report, description } = guarded(image, cpus, () => {
    const subject = built.make(file.sizes)
    const description = describeRun(subject, image, root, (narrator) => {
      // Named as it was taken.
      const describe: DescribeStep = () => narrator.steps[narrator.steps.length - 1]
      const { recording, difference } = replay(subject, file, image.hash, describe, [narrator])
      if (difference !== undefined) throw differs(path, file, image.hash, difference)
      return recording
    })
    if (description === undefined) throw new Error('a replay without a difference failed nothing')
    const about = {
      ...{ execution: file.execution, count: 1, seconds: 0, seed: file.seed },
      ...{ schedule: file.schedule, draws: description.recording.draws },
      ...{ replay: path, command: `mmtorture replay ${shellQuote(path)}` },
    }
    return { report: violationReport(description, about, verbose), description }
  })
  const document: ReplayReport = {
    schema: 'mmtorture/replay-report@1',
    file: path,
    scenario: file.scenario,
    image: image.hash,
    sameImage: image.hash === file.image,
    violation: report,
    verdict: 'violated',
  }
  return { report: document, description, file }
}

async function build(file: ReplayFile, path: string): Promise<Built> {
  const config = parseConfig(Object.entries(file.config).map(([key, value]) => `${key}=${value}`))
  const reverts = file.reverts.map((id) => readRevert(id).patch)
  // kbuild reads patches from files.
  const folder = mkdtempSync(join(tmpdir(), 'mmtorture-replay-'))
  try {
    const patches = file.patches.map(({ text }, index) => {
      const path = join(folder, `${index}.patch`)
      writeResult(path, text)
      return path
    })
    const on = new Set(file.checks)
    const off = allChecks()
      .map((check) => check.name)
      .filter((name) => !on.has(name))
    const stepLimit = file.stepLimit ?? DEFAULT_STEP_LIMIT
    return await buildHunt({
      ...{ config, seed: file.seed, stepLimit, off },
      scenario: scenarioOf(file, path),
      patches: [...reverts, ...patches],
    })
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** The file's scenario: from where the command runs, else from where the file lies, or the folder above it. */
function scenarioOf({ scenario }: ReplayFile, path: string): string {
  const folders = ['', dirname(path), dirname(dirname(resolve(path)))]
  const found = folders.map((folder) => resolve(folder, scenario)).find((file) => existsSync(file))
  return scenario.endsWith('.ts') && found !== undefined ? found : findScenario(scenario).file
}

function differs(
  path: string,
  file: ReplayFile,
  image: string,
  { step, expected, got }: { readonly step: number; readonly expected: string; readonly got: string },
): UsageError {
  const why =
    image === file.image
      ? 'on the very kernel that it was recorded on'
      : 'its kernel, scenario or checks have changed since'
  return new UsageError(`${path}: first differs at step ${step} (${why}): expected ${expected}; got ${got}.`)
}
