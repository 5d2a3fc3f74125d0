import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, expect, test } from 'vitest'
import { UsageError } from '../../src/base/errors.ts'
import { readTrace } from '../../src/trace/read.ts'
import { Recording } from './recording.ts'

const folder = mkdtempSync(join(tmpdir(), 'mmtorture-trace-'))
afterAll(() => rmSync(folder, { recursive: true }))

const text = new Recording().touch(1, 0x5000).exit(1).text()

function file(name: string, content: string | Buffer): string {
  const path = join(folder, name)
  writeFileSync(path, content)
  return path
}

test('plain and gzipped text give the same events, whatever the name', () => {
  const plain = readTrace(file('a.script', text))
  expect(plain.map((event) => event.type)).toEqual(['fault', 'exit'])
  expect(readTrace(file('b.script', gzipSync(text)))).toEqual(plain)
})

test('a gzip stream that ends early is a usage error', () => {
  const whole = readFileSync(new URL('fixtures/httpd-small.script.gz', import.meta.url))
  const path = file('cut.gz', whole.subarray(0, 5000))
  expect(() => readTrace(path)).toThrow(UsageError)
  expect(() => readTrace(path)).toThrow('truncated')
})

test('a missing file is a usage error that names it', () => {
  expect(() => readTrace(join(folder, 'none'))).toThrow(UsageError)
  expect(() => readTrace(join(folder, 'none'))).toThrow('ENOENT')
})

test('a folder is a usage error', () => {
  expect(() => readTrace(folder)).toThrow(UsageError)
})

test('a file without any event is a usage error', () => {
  expect(() => readTrace(file('empty', ''))).toThrow(UsageError)
})

test('a text cut in the middle of a line is a usage error with the number of that line', () => {
  expect(() => readTrace(file('cut', text.slice(0, text.indexOf('error_code', 20) + 3)))).toThrow(
    /cut:1: expected/,
  )
})
