// A worker of a campaign, for piscina: makes the machine and the scheduler once, then runs the executions that it is
// told.
import { pathToFileURL } from 'node:url'
import { workerData } from 'piscina'
import { UsageError } from '../src/base/errors.ts'
import { loadScheduler } from '../src/catalog/scheduler_file.ts'
import { stepChecks } from '../src/checks/steps/index.ts'
import type { Subject } from '../src/explore/attempt.ts'
import { Explorer } from '../src/explore/explorer.ts'
import {
  ABORT,
  ENDED,
  type ExplorerAnswer,
  type ExplorerSetup,
  type ExplorerTask,
  LIMIT,
  type SubjectModule,
  type SubjectSpec,
} from '../src/hunt/protocol.ts'
import { createSubject } from '../src/explore/subject.ts'
import type { SteppedBoot } from '../src/machine/stepped/machine.ts'

const setup = workerData as ExplorerSetup
let made: Promise<Explorer> | undefined
let learned = false

export default async function explore(task: ExplorerTask): Promise<ExplorerAnswer> {
  try {
    const explorer = await (made ??= make())
    const scheduler = explorer.scheduler.name
    if (task.do === 'learn') {
      learned = true
      const { deadline, most } = task
      const enough = (executions: number): boolean =>
        executions >= most || (deadline > 0 && Date.now() >= deadline)
      return { slice: explorer.learn(enough), scheduler }
    }
    if (!learned) explorer.learn((executions) => executions >= task.learning)
    learned = true
    explorer.enter(task.state)
    const { control } = setup
    const slice = explorer.explore(
      task.from,
      task.to,
      (i) => control[ABORT] !== 0 || i >= control[LIMIT] || (i > 0 && Date.now() >= task.deadline),
    )
    return { slice, scheduler }
  } catch (error) {
    const { message, stack = message } = error instanceof Error ? error : new Error(String(error))
    return { failed: { usage: error instanceof UsageError, message, stack } }
  }
}

async function make(): Promise<Explorer> {
  const scheduler = await loadScheduler(setup.scheduler)
  const ended = (): void => void Atomics.add(setup.control, ENDED, 1)
  return new Explorer(await subjectOf(setup.subject), { ...setup.options, scheduler, ended })
}

async function subjectOf(spec: SubjectSpec): Promise<Subject> {
  const url = (path: string): string => (path.startsWith('file:') ? path : pathToFileURL(path).href)
  if (spec.module !== undefined) {
    const module = (await import(url(spec.module))) as { createSubject: SubjectModule }
    return module.createSubject(spec)
  }
  const { boot } = (await import(url(spec.image.file))) as { boot: SteppedBoot }
  const off = new Set(spec.off)
  return createSubject(
    boot,
    spec.image,
    spec.options,
    (machine, image) => [stepChecks(machine, image, off)],
    off,
  )
}
