// Builds the images that benchmarks boot. Leaves out booting.
import { join } from 'node:path'
import { findScenario, scenarioSettings } from '../src/catalog/scenarios.ts'
import { withDefaults } from '../src/kbuild/config.ts'
import { kbuild, type KernelImage, parseConfig } from '../src/kbuild/index.ts'
import { packageRoot } from '../src/base/root.ts'

/** The image of bench/kernel/`name`.ts with `settings` (`KEY=VALUE`). */
export function benchImage(name: string, ...settings: string[]): Promise<KernelImage> {
  return kbuild(parseConfig(settings), { scenario: join(packageRoot(), 'bench', 'kernel', `${name}.ts`) })
}

/** The image of the built-in scenario `name` with its own configuration and `settings`. */
export function scenarioImage(name: string, ...settings: string[]): Promise<KernelImage> {
  const scenario = findScenario(name)
  const config = parseConfig(withDefaults(settings, scenarioSettings(scenario)))
  return kbuild(config, { scenario: scenario.file })
}
