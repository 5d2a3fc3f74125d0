// Builds the image of a hunt or a replay and boots stepped machines of it, and turns what a scenario throws into one sentence. Leaves out
// what is done with the machines.
import type { Subject } from '../explore/attempt.ts'
import type { Sizes } from '../explore/shrink.ts'
import { createSubject } from '../explore/subject.ts'
import { stepChecks } from '../checks/steps/index.ts'
import type { Configuration } from '../kbuild/config.ts'
import { kbuild, type KernelImage, loadImage } from '../kbuild/index.ts'
import { packageRoot } from '../base/root.ts'
import { formatFrame, kernelFrames } from '../inspect/stack.ts'
import { setupFailure } from '../machine/smp/diagnose.ts'
import { KernelBug, SetupFailed, type SteppedBoot } from '../machine/stepped/machine.ts'
import { Violation } from '../step/observer.ts'
import { HELPERS } from './kernel_formats.ts'
import { UsageError } from '../base/errors.ts'

/** What decides how an execution goes, besides the schedule. */
export interface BuildRequest {
  readonly config: Configuration
  /** Absolute path. */
  readonly scenario: string
  /** Absolute paths. */
  readonly patches: readonly string[]
  readonly seed: number
  readonly stepLimit: number
  /** Names of checks that are off. */
  readonly off: readonly string[]
}

/** An image that was loaded. */
export interface Built {
  readonly image: KernelImage
  /** A machine of these sizes, set up. Throws UsageError when the scenario's setup fails. */
  make(sizes: Sizes): Subject
}

export async function buildHunt(request: BuildRequest): Promise<Built> {
  const { config, scenario, patches, seed, stepLimit } = request
  const image = await kbuild(config, { scenario, patches, image: 'stepped' })
  const boot = (await loadImage(image)) as unknown as SteppedBoot
  const off = new Set(request.off)
  const make = (sizes: Sizes): Subject =>
    guarded(image, sizes.cpus, () =>
      createSubject(
        boot,
        image,
        { ...sizes, seed, stepLimit },
        (machine) => [stepChecks(machine, image, off)],
        off,
      ),
    )
  return { image, make }
}

/** Machines of other sizes; undefined where the scenario cannot be set up so. */
export function makeSmaller(built: Built): (sizes: Sizes) => Subject | undefined {
  return (sizes) => {
    try {
      return built.make(sizes)
    } catch (error) {
      if (error instanceof UsageError) return undefined
      throw error
    }
  }
}

/** Runs `action`; what the image's code throws becomes a UsageError that names the place when it is the user's code. */
export function guarded<T>(image: KernelImage, cpus: number, action: () => T): T {
  const limit = Error.stackTraceLimit
  Error.stackTraceLimit = 60
  try {
    return action()
  } catch (error) {
    throw explainThrown(image, cpus, error)
  } finally {
    Error.stackTraceLimit = limit
  }
}

/** The error to report for what was thrown while the image ran. */
export function explainThrown(image: KernelImage, cpus: number, error: unknown): unknown {
  if (error instanceof UsageError || !(error instanceof Error)) return error
  if (error instanceof SetupFailed) return setupFailure(image, cpus, error.errno)
  const frames = kernelFrames(error.stack ?? '', image.file, packageRoot())
  if (error instanceof Violation || error instanceof KernelBug) return setupStopped(image, error, frames)
  const user = frames.find((frame) => frame.user)
  if (user === undefined) return error
  return new UsageError(
    `${user.file}:${user.line}: ${user.function} threw: ${error.message}${via(frames, user)}`,
  )
}

/** What stopped a machine outside of an execution, which is its setup. */
function setupStopped(image: KernelImage, error: Error, frames: ReturnType<typeof kernelFrames>): UsageError {
  const frame = frames.find(({ function: name }) => !HELPERS.has(name))
  const where = frame === undefined ? image.scenario : `${frame.file}:${frame.line}`
  return new UsageError(
    `${where}: the scenario's setup ends in ${error.message}; it has to succeed by itself.`,
  )
}

function via(frames: ReturnType<typeof kernelFrames>, user: ReturnType<typeof kernelFrames>[number]): string {
  const [first] = frames
  return first === user ? '.' : ` (in ${formatFrame(first)}).`
}
