// What a scenario, a patch or a design throws while a stepped image runs, as one sentence that names the place. Leaves
// out violations inside of executions: those are results.
import { bugReason } from '../inspect/bug.ts'
import { UsageError } from '../base/errors.ts'
import { packageRoot } from '../base/root.ts'
import { formatFrame, HELPERS, kernelFrames } from '../inspect/stack.ts'
import type { KernelImage } from '../kbuild/index.ts'
import { Violation } from '../step/observer.ts'
import { setupFailure } from './smp/diagnose.ts'
import { KernelBug, SetupFailed } from './stepped/machine.ts'

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
  const reason = error instanceof KernelBug ? bugReason(image.symbols, error) : undefined
  return new UsageError(
    reason === undefined
      ? `${where}: the scenario's setup ends in ${error.message}; it has to succeed by itself.`
      : `${where}: the scenario's setup ends in a BUG: ${reason}.`,
  )
}

function via(frames: ReturnType<typeof kernelFrames>, user: ReturnType<typeof kernelFrames>[number]): string {
  const [first] = frames
  return first === user ? '.' : ` (in ${formatFrame(first)}).`
}
