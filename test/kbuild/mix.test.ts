// MIX: profiles and weights, and the constants that they become.
import { describe, expect, test } from 'vitest'
import { MIX_PARTS, MIX_PROFILES, mixConstants, parseMix } from '../../src/kbuild/mix.ts'

/** Shares of a profile in thousandths. */
const shares = (profile: string): number[] => {
  const weights = MIX_PROFILES[profile]
  const sum = weights.reduce((total, weight) => total + weight, 0)
  return weights.map((weight) => (1000 * weight) / sum)
}

describe('the profiles', () => {
  test('have a weight for each part', () => {
    for (const weights of Object.values(MIX_PROFILES)) expect(weights).toHaveLength(MIX_PARTS.length)
  })

  test('recorded is the mean of the three programs', () => {
    const programs = ['httpd', 'java', 'redis'].map(shares)
    const mean = MIX_PARTS.map((_, part) => programs.reduce((sum, program) => sum + program[part], 0) / 3)
    expect(MIX_PROFILES.recorded).toEqual(mean.map(Math.round))
  })
})

test('nine weights are a mix of their own', () => {
  expect(parseMix('4:3:2:1:0:0:0:0:1')).toBe('4:3:2:1:0:0:0:0:1')
  expect(mixConstants('4:3:2:1:0:0:0:0:1')).toMatchObject({ MIX_READ: 4, MIX_WRITE: 3, MIX_MREMAP: 1 })
})

test('a profile becomes its weights', () => {
  expect(mixConstants('redis')).toMatchObject({ MIX_COW: 1661, MIX_FORK: 1 })
})
