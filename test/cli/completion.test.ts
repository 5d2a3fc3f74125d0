// The scripts of `mmtorture completion`: bash's is run as bash runs it.
import { spawnSync } from 'node:child_process'
import { describe, expect, test } from 'vitest'
import { type Ended, runCommand } from '../support/command.ts'

const completion = (shell: string): Ended => runCommand(['completion', shell])
const hasBash = spawnSync('bash', ['-c', 'true']).status === 0

/** The script, run for a line that ends where the user presses TAB; bash splits words at `=`. */
function completed(line: string): string[] {
  const words = line.split(/ |(?<==)|(?==)/)
  const run = `
    COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); compopt() { :; }
    _mmtorture; printf '%s\\n' "\${COMPREPLY[@]}"`
  const { stdout, stderr } = spawnSync('bash', ['-c', script + run, 'bash', ...words], { encoding: 'utf8' })
  expect(stderr).toBe('')
  return stdout.split('\n').filter((word) => word !== '')
}
const script = completion('bash').stdout

describe.runIf(hasBash)('bash completes', () => {
  test.each([
    ['mmtorture ca', []],
    ['mmtorture li', ['list']],
    ['mmtorture run --se', ['--seconds', '--seed']],
    ['mmtorture hunt --revert ptl-w', ['ptl-wrong']],
    ['mmtorture run same-p', ['same-page']],
    ['mmtorture hunt fork-storm same-p', ['same-page']],
    ['mmtorture list rev', ['reverts']],
    ['mmtorture completion z', ['zsh']],
    ['mmtorture scale --topology mila', ['milan']],
    ['mmtorture hunt --scheduler por', ['portfolio']],
    ['mmtorture hunt --no-check lo', ['lockdep']],
    ['mmtorture run --config PTLOCK', ['PTLOCK=', 'PTLOCK_HASH=', 'PTLOCK_RANGE=']],
    ['mmtorture run --config PTLOCK=pm', ['pmd']],
    [
      'mmtorture run --config PTLOCK=',
      ['mm', 'pte', 'pmd', 'hashed', 'range', 'rw', 'bit', 'percpu-rw', 'seq'],
    ],
    ['mmtorture run --config PTLOCK=mm,pm', ['mm,pmd']],
    // Paths are left to bash.
    ['mmtorture run --patch ex', []],
    ['mmtorture run --json=ex', []],
    ['mmtorture replay mm', []],
  ])('%s', (line, words) => {
    expect(completed(line)).toEqual(words)
  })

  test('every command and every option of its help', () => {
    const help = (...args: string[]): string => runCommand([...args, '--help']).stdout
    const commands = [...help().matchAll(/^ {2}([a-z]+) .*/gm)]
      .map(([, name]) => name)
      .filter((name) => name !== 'help')
    expect(completed('mmtorture ')).toEqual(commands)
    for (const command of ['run', 'hunt', 'scale', 'replay'])
      expect(completed(`mmtorture ${command} --`)).toEqual(
        [...help(command).matchAll(/^ {2}(--[a-z0-9-]+)/gm)].map(([, name]) => name),
      )
  })
})

test('zsh and fish have scripts with every command, option and name', () => {
  for (const shell of ['zsh', 'fish'])
    expect(completion(shell).stdout).toMatch(/hunt[^]*revert[^]*ptl-wrong[^]*portfolio/)
})

test('another shell is refused in a sentence', () => {
  const { status, stderr } = completion('fihs')
  expect(stderr).toBe('mmtorture: completion fihs: expected one of bash, zsh, fish (did you mean fish?).\n')
  expect(status).toBe(2)
})
