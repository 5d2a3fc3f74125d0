import { test } from 'vitest'
import { CHECKS } from '../../src/checks/index.ts'
import { MachineView } from '../../src/checks/view.ts'
import { bootFixture, buildFixture } from './machine.ts'
test('t', async () => {
  const machine = await bootFixture(await buildFixture('resting', { MEMORY: '256M', NR_CPUS: 64 }))
  for (let k = 0; k < 3; k++) {
    const view = new MachineView(machine, 'running')
    const t = (n: string, f: () => unknown) => { const a = performance.now(); f(); console.log(k, n, (performance.now() - a).toFixed(1)) }
    t('caches', () => view.caches); t('mms', () => view.mms); t('free', () => view.free); t('map', () => view.mappings); t('pc', () => view.pageCache)
    for (const c of CHECKS) t(c.id, () => c.run(view))
  }
})
