import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import MagicString, { Bundle } from 'magic-string'
import { afterAll, describe, expect, test } from 'vitest'
import { formatFrame, kernelFrames } from '../../src/inspect/stack.ts'

const folder = mkdtempSync(join(tmpdir(), 'mmtorture-stack-'))
afterAll(() => rmSync(folder, { recursive: true }))

const image = join(folder, 'image.mjs')
const bundle = new Bundle()
const add = (filename: string, text: string): void => {
  bundle.addSource({ filename: join(folder, filename), content: new MagicString(text) })
}
add('src/kernel/mm/memory.ts', 'line 1\nfunction do_wp_page() {')
add('mine/design.ts', 'line 1')
writeFileSync(image, bundle.toString())
writeFileSync(`${image}.map`, bundle.generateMap({ file: image, hires: true }).toString())
const url = pathToFileURL(image).href

describe('a kernel stack', () => {
  const frames = kernelFrames(
    [
      'Error: BUG 0',
      '    at machine_bug (file:///somewhere/cpu.js:1:1)',
      `    at do_wp_page (${url}:2:3)`,
      `    at pte_lockptr (${url}:3:1)`,
      '    at process.processTicksAndRejections (node:internal/process/task_queues:95:5)',
    ].join('\n'),
    image,
    folder,
  )

  test('has the frames of the image only, at their places in the sources', () => {
    expect(frames.map(formatFrame)).toEqual([
      'do_wp_page src/kernel/mm/memory.ts:2',
      `pte_lockptr ${join(folder, 'mine/design.ts')}:1`,
    ])
  })

  test("tells a user's file from the kernel's", () => {
    expect(frames.map((frame) => frame.user)).toEqual([false, true])
  })

  test('keeps places in the image when there is no map', () => {
    const [frame] = kernelFrames('    at f (/nowhere/image.mjs:7:2)', '/nowhere/image.mjs', folder)
    expect(frame).toEqual({ function: 'f', file: '/nowhere/image.mjs', line: 7, user: false })
  })
})
