// What is printed and what is written, where some of it cannot be.
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test, vi } from 'vitest'
import { checkFolder, checkWritable, writeReport } from '../../src/base/output.ts'

const folder = mkdtempSync(join(tmpdir(), 'mmtorture-output-'))
afterAll(() => rmSync(folder, { recursive: true }))
// Under a file nothing can be made, whoever asks.
const file = join(folder, 'file')
writeFileSync(file, '')
const impossible = join(file, 'below')

test('what cannot be written is named, each file of it, and all else is printed and written', async () => {
  const printed = vi.spyOn(process.stdout, 'write').mockImplementation((...args: unknown[]) => {
    ;(args[1] as () => void)()
    return true
  })
  const good = join(folder, 'good.json')
  const files = new Map([
    [join(impossible, 'host.json'), 'topology'],
    [good, 'another'],
  ])
  try {
    const options = { json: join(impossible, 'report.json') }
    const written = writeReport('run', { document: 'document', text: 'text' }, options, { files })
    await expect(written).rejects.toThrow(
      /below\/host\.json: a part of the path is no folder; the file is missing or cut\. cannot write to .*report\.json/,
    )
    expect(printed.mock.calls.map(([text]) => text)).toEqual(['text'])
  } finally {
    printed.mockRestore()
  }
  expect(readFileSync(good, 'utf8')).toBe('another')
})

test('a file that cannot be written is refused before the work, and one that can is not made', () => {
  expect(() => checkWritable('host', {}, [join(impossible, 'host.json')])).toThrow(
    /cannot write to .*host\.json/,
  )
  checkWritable('host', {}, [join(folder, 'host.json')])
  expect(existsSync(join(folder, 'host.json'))).toBe(false)
})

test('a folder that can be made is left unmade, and what lies in one that is there stays', () => {
  checkFolder(join(folder, 'deep', 'deeper'))
  expect(existsSync(join(folder, 'deep'))).toBe(false)
  const full = join(folder, 'full')
  mkdirSync(full)
  writeFileSync(join(full, 'kept'), '')
  checkFolder(full)
  expect(readdirSync(full)).toEqual(['kept'])
  expect(() => checkFolder(impossible)).toThrow(/cannot write to .*below/)
})
