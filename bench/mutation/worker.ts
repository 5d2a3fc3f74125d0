// A worker of `npm run mutate`: hunts one mutant in the forms that it is given until one finds it, or measures what a
// form reaches. One worker a task, since images that were loaded are never given back.
import { parentPort, workerData } from 'node:worker_threads'
import { UsageError } from '../../src/base/errors.ts'
import { hunt } from '../../src/explore/hunt.ts'
import { SCHEDULERS } from '../../src/explore/schedulers/index.ts'
import { type SourceLines, sourceLines } from '../../src/hunt/reached.ts'
import type { Built } from '../../src/hunt/build.ts'
import { buildForm, type Form, formName } from './form.ts'

export type Task =
  | { readonly what: 'reach'; readonly form: Form; readonly executions: number; readonly seed: number }
  | {
      readonly what: 'hunt'
      readonly forms: readonly Form[]
      /** Absolute path. */
      readonly patch: string
      /** Executions in each form. */
      readonly executions: number
      readonly seed: number
    }

/** What became of a mutant. */
export type Fate =
  | { readonly fate: 'killed'; readonly form: string; readonly check: string; readonly execution: number }
  | { readonly fate: 'survived'; readonly executions: number }
  /** The kernel's rules refuse it, so nobody could have written it. */
  | { readonly fate: 'refused'; readonly why: string }

const task = workerData as Task
parentPort?.postMessage(task.what === 'reach' ? await reach(task) : await fateOf(task))

async function reach({ form, executions, seed }: Task & { what: 'reach' }): Promise<SourceLines> {
  const { image, make } = await buildForm(form, [], seed)
  const subject = make(form.sizes)
  const { sites } = hunt(subject, { seed, scheduler: SCHEDULERS[0], sites: image.sites.length, executions })
  return sourceLines(image.sites, sites, subject.machine.setupSites)
}

async function fateOf({ forms, patch, executions, seed }: Task & { what: 'hunt' }): Promise<Fate> {
  let done = 0
  for (const form of forms) {
    let built: Built
    try {
      built = await buildForm(form, [patch], seed)
    } catch (error) {
      if (!(error instanceof UsageError)) throw error
      return { fate: 'refused', why: error.message }
    }
    const killed = huntForm(built, form, executions, seed)
    if (killed !== undefined) return { fate: 'killed', form: formName(form), ...killed }
    done += executions
  }
  return { fate: 'survived', executions: done }
}

function huntForm(
  built: Built,
  form: Form,
  executions: number,
  seed: number,
): { check: string; execution: number } | undefined {
  try {
    const scheduler = SCHEDULERS[0]
    const { violations } = hunt(built.make(form.sizes), {
      seed,
      scheduler,
      sites: built.image.sites.length,
      executions,
    })
    return violations[0]
  } catch (error) {
    // A kernel that does not come up, or that does what no program of ours does, is found, too.
    return { check: error instanceof UsageError ? 'setup' : 'crash', execution: -1 }
  }
}
