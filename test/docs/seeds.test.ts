// docs/seeds.md is complete and true as far as a program can tell: names and files exist, tests reach what they are
// named for, and what is said not to exist does not.
import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { tmpdir } from 'node:os'
import { beforeAll, describe, expect, test } from 'vitest'
import { root } from './markdown.ts'

const read = (file: string): string => readFileSync(join(root, file), 'utf8')
const names = read('test/docs/fixtures/seed-names.txt').trim().split('\n')

interface Row {
  readonly name: string
  readonly where: string
  readonly test: string
}

/** The rows of all tables of the page, without headings. */
function rows(text: string): Row[] {
  return text
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .map((line) => {
      const cells = line
        .replace(/^\||\|$/g, '')
        .split('|')
        .map((cell) => cell.trim())
      if (cells.length !== 3) throw new Error(`expected three cells: ${line}`)
      return { name: cells[0].replaceAll('`', ''), where: cells[1], test: cells[2] }
    })
}

const listed = rows(read('docs/seeds.md'))

/** Whether a text has the word; `$` is a letter. */
function has(text: string, word: string): boolean {
  const escaped = word.replaceAll(/[^\w]/g, String.raw`\$&`)
  return new RegExp(String.raw`(?<![\w$])${escaped}(?![\w$])`).test(text)
}

/** The file and the name that a row says are there; undefined for what is not there. */
function placeOf({ name, where }: Row): { file: string; word: string } | undefined {
  const match = /^`([^`]+)`(?: as `([^`]+)`)?$/.exec(where)
  return match === null ? undefined : { file: match[1], word: match[2] ?? name }
}

/** What is wrong with a row; undefined if nothing. */
function wrongFile(row: Row): string | undefined {
  const { name, where } = row
  if (/^(not yet: |left out because: )./.test(where)) return undefined
  const place = placeOf(row)
  if (place === undefined) return `${name}: '${where}' is no file, 'not yet: …' or 'left out because: …'`
  if (!existsSync(join(root, place.file))) return `${name}: there is no ${place.file}`
  return has(read(place.file), place.word) ? undefined : `${name}: ${place.file} has no ${place.word}`
}

/** The kernel's code by file, without comments. */
const kernel = new Map(
  readdirSync(join(root, 'src/kernel'), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => `src/kernel/${file.replaceAll('\\', '/')}`)
    .map((file) => [file, read(file).replaceAll(/\/\*[^]*?\*\/|\/\/.*/g, '')]),
)
const code = [...kernel.values()].join('\n')
/** The kernel's functions by name, with their text. */
const functions = new Map(
  [...code.matchAll(/^(?:export )?function (\w+)\((?:.*\{\}|[^]*?^\})$/gm)].map(([text, name]) => [
    name,
    text,
  ]),
)

/**
 * What is not modelled, and names that the kernel would have if it were: those of its rows are looked for as well.
 * Whoever models one takes it out here, and says in its rows where it is.
 */
const MISSING: Readonly<Record<string, readonly string[]>> = {
  'a probe on a function': ['register_kprobe'],
  'allocation of exact sizes': ['alloc_pages_exact'],
  'bad PTEs': ['print_bad_pte'],
  'compound pages in user mappings': ['PageTail', 'PageCompound'],
  DAX: ['huge_fault', 'dax_iomap_fault'],
  'device mappings': ['vm_insert_page', 'remap_pfn_range'],
  'device memory': ['is_device_private_entry'],
  'device-exclusive memory': ['make_device_exclusive_range'],
  'device-private memory': ['migrate_to_ram'],
  'events of memory cgroups': ['count_memcg_events'],
  'file systems': ['ext4_filemap_fault', 'file_update_time', 'maybe_unlock_mmap_for_io'],
  FOLL_PIN: ['FOLL_PIN', 'pin_user_pages'],
  'GUP-fast': ['get_user_pages_fast', 'internal_get_user_pages_fast', 'gup_pte_range'],
  'huge pages': ['pmd_huge', 'pud_huge'],
  hugetlb: ['hugetlb_fault', 'copy_hugetlb_page_range'],
  hwpoison: ['memory_failure', 'PageHWPoison', 'PG_hwpoison'],
  'KSM and PKSM': ['PageKsm', 'ksm_do_scan'],
  mlock: ['mlock_folio', 'sys_mlock', 'VM_LOCKED', 'LRU_UNEVICTABLE'],
  'mmu notifiers': ['mmu_notifier_register'],
  'NUMA hints': ['do_numa_page', 'task_numa_fault'],
  'NUMA policies': ['mbind', 'get_vma_policy'],
  'page statistics of memory cgroups': ['lock_page_memcg', 'mod_memcg_state'],
  'PFN mappings': ['vm_insert_pfn', 'remap_pfn_range'],
  'printing the maps of an mm': ['show_map_vma'],
  'PTE markers': ['make_pte_marker'],
  'shadows of evicted pages': ['workingset_eviction'],
  'soft-dirty': ['clear_refs_write', 'clear_soft_dirty', 'pte_mksoft_dirty'],
  'TAIL_REFS=tail': ['TAIL_REFS', '__get_page_tail'],
  'the log line of a signal': ['show_signal_msg'],
  throttling: ['balance_dirty_pages', 'reclaim_throttle', 'cgroup_throttle_swaprate'],
  'transparent huge pages': ['do_huge_pmd_anonymous_page', 'pmd_trans_huge', 'split_huge_page'],
  userfaultfd: ['handle_userfault', 'userfaultfd_wp'],
  'zone statistics': ['NR_FILE_MAPPED', 'mod_zone_page_state', 'mod_node_page_state'],
}

/** Names of the kernel that refute a row's 'not yet'; or that nothing could. */
function refuted({ name, where }: Row): string | undefined {
  const mechanism = /^not yet: ([^;]+)/.exec(where)?.[1]
  if (mechanism === undefined) return undefined
  if (!Object.hasOwn(MISSING, mechanism)) return `${name}: '${mechanism}' is none of what is not modelled`
  const found = [name, ...MISSING[mechanism]].find((word) => /^\w+$/.test(word) && isDefined(word))
  return found === undefined ? undefined : `${name}: not yet, but the kernel has ${found}`
}

function isDefined(word: string): boolean {
  return new RegExp(String.raw`^(?:export )?(?:function|const) ${word}\b`, 'm').test(code)
}

/** A test with the fixtures that it names: kernel code for workers lies there. */
function textOf(file: string): string {
  const folder = join(dirname(file), 'fixtures')
  const text = read(file)
  const fixtures = existsSync(join(root, folder)) ? readdirSync(join(root, folder)) : []
  return [
    text,
    ...fixtures
      .filter((name) => name.endsWith('.ts') && has(text, basename(name, '.ts')))
      .map((name) => read(join(folder, name))),
  ].join('\n')
}

/**
 * Whether a test that executed these functions covers the name: it, or, of a constant or a field, a function that uses
 * it.
 */
function covers(executed: ReadonlySet<string>, { file, word }: { file: string; word: string }): boolean {
  if (functions.has(word)) return executed.has(word)
  const users = [...functions].filter(([, text]) => has(text, word)).map(([name]) => name)
  const near = users.filter((name) => kernel.get(file)?.includes(functions.get(name)!))
  return (near.length > 0 ? near : users).some((name) => executed.has(name))
}

describe('docs/seeds.md', () => {
  test('has every name of the seeds', () => {
    const known = new Set(listed.map((row) => row.name))
    expect(names.filter((name) => !known.has(name))).toEqual([])
  })

  test('has no name twice', () => {
    expect(listed.map((row) => row.name).filter((name, index, all) => all.indexOf(name) !== index)).toEqual(
      [],
    )
  })

  test('names files that exist and have what they are named for', () => {
    expect(listed.map(wrongFile).filter((problem) => problem !== undefined)).toEqual([])
  })

  test('names tests that exist', () => {
    const wrong = listed.filter((row) => {
      if (row.where.startsWith('left out')) return row.test !== ''
      if (row.test === 'not yet') return false
      const file = /^`(test\/[^`]+\.test\.ts)`$/.exec(row.test)?.[1]
      return file === undefined || !existsSync(join(root, file))
    })
    expect(wrong).toEqual([])
  })

  test('has no test for what does not exist yet', () => {
    expect(listed.filter((row) => row.where.startsWith('not yet') && row.test !== 'not yet')).toEqual([])
  })

  test('says "not yet" of nothing that the kernel has', () => {
    expect(listed.map(refuted).filter((problem) => problem !== undefined)).toEqual([])
  })
})

describe('the tests of docs/seeds.md', () => {
  /** Rows whose test does not name them: it has to execute them. */
  const unnamed = listed.flatMap((row) => {
    const place = placeOf(row)
    const file = /^`(.+)`$/.exec(row.test)?.[1]
    return place === undefined || file === undefined || has(textOf(file), place.word)
      ? []
      : [{ name: row.name, place, file }]
  })
  const executed = new Map<string, ReadonlySet<string>>()

  beforeAll(() => {
    const folder = mkdtempSync(join(tmpdir(), 'mmtorture-executed-'))
    const env = { ...process.env, MMTORTURE_NO_BUILD: '1', MMTORTURE_EXECUTED: folder }
    const files = [...new Set(unnamed.map(({ file }) => file))]
    const vitest = join(root, 'node_modules/vitest/vitest.mjs')
    execFileSync(process.execPath, [vitest, 'run', '--reporter=dot', ...files], {
      cwd: root,
      env,
      stdio: 'pipe',
    })
    for (const name of readdirSync(folder)) {
      const file = files.find((one) => name.endsWith(`+${one.replaceAll('/', '+')}`))
      if (file !== undefined)
        executed.set(file, new Set(readFileSync(join(folder, name), 'utf8').split('\n')))
    }
    rmSync(folder, { recursive: true })
  }, 300_000)

  test('name or execute what they are named for', () => {
    const not = unnamed.filter(({ place, file }) => !covers(executed.get(file) ?? new Set(), place))
    expect(not.map(({ name, file }) => `${name}: ${file} does not execute it`)).toEqual([])
  })
})

describe('the rules of docs/seeds.md', () => {
  const row = (name: string, where: string): Row => ({ name, where, test: '' })

  test('find a file that is missing, and a name that its file does not have', () => {
    expect(wrongFile(row('get_page', '`src/kernel/mm/none.ts`'))).toMatch(/there is no/)
    expect(wrongFile(row('no_such_function', '`src/kernel/mm/mm.ts`'))).toMatch(/has no/)
    expect(wrongFile(row('get_page', 'somewhere'))).toMatch(/is no file/)
  })

  test('find what is said not to exist and does', () => {
    expect(refuted(row('lru_cache_add', 'not yet: mlock'))).toMatch(/the kernel has lru_cache_add/)
    expect(refuted(row('swap cache', 'not yet: swap'))).toMatch(/'swap' is none of what is not modelled/)
    expect(refuted(row('mlock', 'not yet: mlock'))).toBeUndefined()
  })

  test('find a function that was not executed, and a constant that no executed function uses', () => {
    const get = { file: 'src/kernel/mm/mm.ts', word: 'get_page' }
    const flag = { file: 'src/kernel/mm/page_io.ts', word: 'PG_writeback' }
    expect(covers(new Set(['put_page']), get)).toBe(false)
    expect(covers(new Set(['get_page']), get)).toBe(true)
    expect(covers(new Set(['get_page']), flag)).toBe(false)
    expect(covers(new Set(['swap_writepage']), flag)).toBe(true)
  })
})
