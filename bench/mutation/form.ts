// The forms in which mutants are hunted: those that each built-in scenario declares, and each in which a revert is
// found. Leaves out what a form reaches: reach.ts.
import { scenarioDeclaration } from '../../src/catalog/forms.ts'
import { listReverts } from '../../src/catalog/reverts.ts'
import { namedScenarios } from '../../src/catalog/scenarios.ts'
import type { Sizes } from '../../src/explore/shrink.ts'
import { type Built, buildPlan } from '../../src/hunt/build.ts'
import { DEFAULT_CPUS, DEFAULT_OPERATIONS, DEFAULT_PAGES, planHunt } from '../../src/hunt/plan.ts'

export interface Form {
  readonly scenario: string
  readonly config: readonly string[]
  readonly sizes: Sizes
}

/** All forms, each once. */
export function allForms(): Form[] {
  const sizesOf = ({ cpus, operations, pages }: Partial<Record<keyof Sizes, number | undefined>>): Sizes => ({
    cpus: cpus ?? DEFAULT_CPUS,
    operations: operations ?? DEFAULT_OPERATIONS,
    pages: pages ?? DEFAULT_PAGES,
  })
  const scenarios = namedScenarios()
  const forms = [
    ...scenarios.flatMap((scenario): Form[] => {
      const { forms: declared } = scenarioDeclaration(scenario)
      const own = declared.length === 0 ? [{ config: [] }] : declared
      return own.map((form) => ({ scenario: scenario.name, config: form.config, sizes: sizesOf(form) }))
    }),
    ...listReverts()
      .filter(({ scenario }) => scenario !== '')
      .map((revert): Form => ({ scenario: revert.scenario, config: revert.config, sizes: sizesOf(revert) })),
  ]
  return [...new Map(forms.map((form) => [formName(form), form])).values()]
}

/** `swap-storm SWAP=y, 3 CPUs, 2 operations, 3 pages`. */
export function formName({ scenario, config, sizes: { cpus, operations, pages } }: Form): string {
  return `${[scenario, ...config].join(' ')}, ${cpus} CPUs, ${operations} operations, ${pages} pages`
}

/** Builds the kernel with patches (absolute paths) for a form. Throws UsageError as kbuild does. */
export function buildForm(
  { scenario, config, sizes }: Form,
  patches: readonly string[],
  seed: number,
): Promise<Built> {
  const plan = planHunt(scenario, { ...sizes, config, patch: patches, seed })
  return buildPlan(plan, plan.configs[0])
}
