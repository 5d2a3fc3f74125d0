// In which order scenarios are hunted: those that declare that they reach what is judged, then each that declares most
// that nobody before it does (@reaches), so that the first few go through most of the kernel.
import { scenarioDeclaration } from '../catalog/forms.ts'
import { namedScenarios, type ScenarioFile } from '../catalog/scenarios.ts'

/**
 * All named scenarios in that order, behind `first`. Throws UsageError as scenarioDeclaration does.
 * @param functions of the kernel that are judged
 */
export function huntOrder(
  first: readonly ScenarioFile[],
  functions: ReadonlySet<string>,
): readonly ScenarioFile[] {
  const left = namedScenarios()
    .filter(({ file }) => first.every((one) => one.file !== file))
    .map((scenario) => ({ scenario, reaches: scenarioDeclaration(scenario).reaches }))
  const seen = new Set<string>()
  const order = [...first]
  while (left.length > 0) {
    const worth = left.map(
      ({ reaches }) =>
        reaches.filter((name) => !seen.has(name)).length +
        (reaches.some((name) => functions.has(name)) ? reaches.length + MUCH : 0),
    )
    const [{ scenario, reaches }] = left.splice(worth.indexOf(Math.max(...worth)), 1)
    for (const name of reaches) seen.add(name)
    order.push(scenario)
  }
  return order
}

/** More than any scenario declares. */
const MUCH = 1000
