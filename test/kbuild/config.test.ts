import fc from 'fast-check'
import { join } from 'node:path'
import { writeFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { UsageError } from '../../src/base/errors.ts'
import {
  CONFIG_KEYS,
  configConstants,
  configSettings,
  defaultConfig,
  levelBits,
  parseConfig,
  parseSize,
  sweepConfig,
} from '../../src/kbuild/config.ts'
import { temporaryFolder } from './kernel.ts'

describe('parseConfig', () => {
  it('refuses groups of memory without swap', () => {
    expect(() => parseConfig(['MEMCG=y'])).toThrow(/MEMCG=y takes SWAP=y/)
  })

  it('gives every key its default', () => {
    expect(parseConfig([])).toEqual({
      PTLOCK: 'pmd',
      SPINLOCK: 'pvqspinlock',
      LOCK_STAT: 'n',
      HOLDTIME_SAMPLE: 16,
      NR_CPUS: 64,
      PGTABLE_LEVELS: 4,
      PTRS_PER_TABLE: 512,
      MEMORY: '256M',
      PAGE_BYTES: 64,
      NODES: 1,
      TICK: 100,
      FAIL_ALLOC: 0,
      COW_REUSE: 'exclusive',
      FAULT_LOCKING: '6.1',
      FAULT_AROUND: 1,
      VMA_LOCK: 'n',
      ATOMICS: 'js',
      PARAVIRT_SPINLOCKS: 'n',
      PTLOCK_HASH: 16,
      PTLOCK_RANGE: 64,
      SWAP: 'n',
      MEMCG: 'n',
      SWAP_MAP_MAX: 62,
      MMU_GATHER_BUNDLE: 0,
      REFCOUNT: 'atomic',
      AREAS: 'one',
      MIX: 'recorded',
    })
  })

  it('takes a value for a key', () => {
    expect(parseConfig(['PTLOCK=hashed', 'NR_CPUS=8'])).toMatchObject({ PTLOCK: 'hashed', NR_CPUS: 8 })
  })

  it('names the nearest key when a key is unknown, and all keys', () => {
    expect(() => parseConfig(['PTLOK=mm'])).toThrow(/no such key \(did you mean PTLOCK\?\).*HOLDTIME_SAMPLE/)
  })

  it('names the valid values and the nearest one when a value is unknown', () => {
    expect(() => parseConfig(['SPINLOCK=tickt'])).toThrow(/tas \| ttas \| ticket.*did you mean ticket\?/)
  })

  it('refuses two values where one is expected', () => {
    expect(() => parseConfig(['PTLOCK=mm,pte'])).toThrow(/2 values/)
  })

  it('refuses a key that is given twice', () => {
    expect(() => parseConfig(['PTLOCK=mm', 'PTLOCK=pte'])).toThrow(/given twice/)
  })

  it('refuses a setting without a value', () => {
    expect(() => parseConfig(['PTLOCK'])).toThrow(/expected KEY=VALUE/)
  })

  it.each([
    'NR_CPUS=0',
    'NR_CPUS=257',
    'NR_CPUS=two',
    'NR_CPUS=',
    'NR_CPUS=1.5',
    'NR_CPUS=-1',
    'PTRS_PER_TABLE=100',
    'PTRS_PER_TABLE=4',
    'PAGE_BYTES=8192',
    'PGTABLE_LEVELS=6',
    'PTLOCK_HASH=512',
    'LOCK_STAT=yes',
    'MEMORY=1K',
    'MEMORY=1000001',
    'MEMORY=8G',
    'MEMORY=lots',
    'ATOMICS=java',
    'PTLOCK=constructor',
    'MIX=constructor',
    'MIX=1:1:1',
    'MIX=0:0:0:0:0:0:0:0:0',
    'MIX=1:1:1:1:1:1:1:1:200000',
  ])('refuses %s in one sentence', (setting) => {
    expect(() => parseConfig([setting])).toThrow(UsageError)
    expect(() => parseConfig([setting])).toThrow(/expected .*\.$/)
  })

  it('refuses a machine of more than 4 GiB', () => {
    expect(() => parseConfig(['MEMORY=4G', 'PAGE_BYTES=4096'])).toThrow(/limit is 4 GiB/)
  })

  it('takes a path of a design and makes it absolute', () => {
    const path = join(temporaryFolder(), 'mine.ts')
    writeFileSync(path, '')
    expect(parseConfig([`PTLOCK=${path}`]).PTLOCK).toBe(path)
  })

  it('refuses a design file that does not exist', () => {
    expect(() => parseConfig(['SPINLOCK=./no/such.ts'])).toThrow(/there is no such file/)
  })
})

describe('sweepConfig', () => {
  it('is every combination, the first key slowest', () => {
    const rows = sweepConfig(['PTLOCK=mm,pte', 'SPINLOCK=tas,mcs'])
    expect(rows.map((row) => `${row.PTLOCK} ${row.SPINLOCK}`)).toEqual([
      'mm tas',
      'mm mcs',
      'pte tas',
      'pte mcs',
    ])
  })

  it('is one row without settings', () => {
    expect(sweepConfig([])).toEqual([defaultConfig()])
  })

  it('refuses an empty value in a list', () => {
    expect(() => sweepConfig(['PTLOCK=mm,'])).toThrow(/expected mm \| pte/)
  })
})

describe('configConstants', () => {
  it('makes choices indices, y one, and sizes pages', () => {
    const config = parseConfig(['COW_REUSE=mapcount', 'LOCK_STAT=y', 'MEMORY=1M', 'ATOMICS=wasm'])
    expect(configConstants(config)).toMatchObject({ COW_REUSE: 2, LOCK_STAT: 1, NR_PAGES: 256, ATOMICS: 1 })
  })
})

describe('configSettings', () => {
  it('parses back to the configuration', () => {
    const valid = CONFIG_KEYS.map((key) =>
      fc.constantFrom(...(key.choices ?? [key.default])).map((value) => `${key.name}=${value}`),
    )
    fc.assert(
      fc.property(fc.tuple(...valid), (settings) => {
        fc.pre(!settings.includes('MEMCG=y') || settings.includes('SWAP=y'))
        const config = parseConfig(settings)
        expect(parseConfig(configSettings(config))).toEqual(config)
      }),
    )
  })
})

describe('NODES', () => {
  it('needs memory for each node', () => {
    expect(() => parseConfig(['NODES=16', 'MEMORY=2M'])).toThrow(
      'NODES=16 leaves the last node 32 pages of MEMORY=2M; at least 64 are needed: raise MEMORY or lower NODES.',
    )
    expect(parseConfig(['NODES=16', 'MEMORY=4M']).NODES).toBe(16)
    expect(() => parseConfig(['NODES=64', 'MEMORY=16388K'])).toThrow('leaves the last node 2 pages')
  })
})

describe('levelBits', () => {
  it('narrows the upper levels to 31 bits in all', () => {
    expect(levelBits(parseConfig([]))).toEqual([9, 9, 9, 4])
    expect(levelBits(parseConfig(['PGTABLE_LEVELS=5']))).toEqual([9, 9, 9, 3, 1])
    expect(levelBits(parseConfig(['PGTABLE_LEVELS=2', 'PTRS_PER_TABLE=8']))).toEqual([3, 3])
  })
})

describe('parseSize', () => {
  it('knows K, M and G, and refuses anything else', () => {
    expect(['4096', '4K', '1m', '2G'].map(parseSize)).toEqual([4096, 4096, 2 ** 20, 2 ** 31])
    expect(['', 'M', '1T', '-1', '1.5G'].map(parseSize)).toEqual(Array(5).fill(undefined))
  })
})
