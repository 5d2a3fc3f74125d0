// The names of the kernel's functions and modules by which checks at every step choose steps.
import { fileURLToPath } from 'node:url'
import { beforeAll, expect, test, vi } from 'vitest'
import { MissingName, Sites, stepChecks } from '../../../src/checks/steps/index.ts'
import type { KernelImage } from '../../../src/kbuild/index.ts'
import type { SteppedMachine } from '../../../src/machine/stepped/machine.ts'
import { bootStepped, buildStepped } from './bench.ts'

let image: KernelImage
let machine: SteppedMachine

beforeAll(async () => {
  image = await buildStepped(fileURLToPath(new URL('fixtures/mapped.ts', import.meta.url)))
  machine = await bootStepped(image)
})

const without = (name: string): KernelImage => ({
  ...image,
  declared: image.declared.filter((other) => other !== name),
})

test('a check that goes by a function which the kernel does not have is refused by name', () => {
  expect(() => stepChecks(machine, without('age_pte'))).toThrow(
    new MissingName('the kernel has no function age_pte, by which the check pte-transitions goes'),
  )
  expect(() => stepChecks(machine, without('page_ref_freeze'))).toThrow(
    'the kernel has no function page_ref_freeze, by which all checks at every step go',
  )
})

test('a check that is off needs no names', () => {
  expect(() => stepChecks(machine, without('age_pte'), new Set(['pte-transitions']))).not.toThrow()
})

test('a module without a step is refused by name', () => {
  const sites = image.sites.map((site) => ({ ...site, file: site.file.replace('slab.ts', 'slub.ts') }))
  expect(() => stepChecks(machine, { ...image, sites })).toThrow(
    'the kernel has no module mm/slab, by which the check use-after-free goes',
  )
})

test('the kernel declares functions that an image without their configuration does without', () => {
  expect(image.config.SWAP).toBe('n')
  expect(image.declared).toContain('setup_swap_map')
  expect(image.functions).not.toContain('setup_swap_map')
})

test('the modules of a folder are one module', () => {
  const sites = image.sites.map((site) => ({
    ...site,
    file: site.file.replace('mm/slab.ts', 'mm/slab/alloc.ts'),
  }))
  expect(new Sites({ ...image, sites }).in('any', 'mm/slab')).toEqual(new Sites(image).in('any', 'mm/slab'))
})

test('each name has a step where swap, groups and all calls are', async () => {
  const chosen = new Set<string>()
  const { of } = Sites.prototype
  const spy = vi.spyOn(Sites.prototype, 'of').mockImplementation(function (this: Sites, check, names) {
    for (const name of names) chosen.add(name)
    return of.call(this, check, names)
  })
  stepChecks(machine, image)
  spy.mockRestore()
  const whole = await buildStepped(fileURLToPath(new URL('fixtures/whole.ts', import.meta.url)), [
    'SWAP=y',
    'MEMCG=y',
  ])
  const stepped = new Set(whole.sites.flatMap(({ fn, helper }) => [fn, helper]))
  expect([...chosen].filter((name) => !stepped.has(name))).toEqual([])
})
