/**
 * Which of the numbers that may be read a value stands for.
 */
import { oracle } from '../arch/machine.ts'
import {
  ORACLE_NUMBER_MASK,
  ORACLE_NUMBER_SHIFT,
  ORACLE_SIDE_MASK,
  ORACLE_SIDE_SHIFT,
  ORACLE_TAG_MASK,
  oreg$base,
  oreg$side,
  oreg$zero,
} from './layout.ts'

/**
 * The number that `value` stands for, if it is one from `lower` to `upper` that the register can hold; else -1.
 * Numbers above the register's base are this mm's own, those up to it were inherited.
 */
export function oracle_explain(
  r: number,
  value: number,
  tag: number,
  side: number,
  lower: number,
  upper: number,
): number {
  if (value === 0) return oracle[r + oreg$zero] >= lower ? 0 : -1
  if ((value & ORACLE_TAG_MASK) !== tag) return -1
  const value_side = (value >>> ORACLE_SIDE_SHIFT) & ORACLE_SIDE_MASK
  const number = value >>> ORACLE_NUMBER_SHIFT
  const base = oracle[r + oreg$base]
  if (value_side === (side & ORACLE_SIDE_MASK)) {
    const from = Math.max(lower, base + 1)
    const own = from + ((number - from) & ORACLE_NUMBER_MASK)
    if (own <= upper) return own
  }
  const inherited_side = oracle[r + oreg$side]
  if (inherited_side !== 0 && inherited_side !== value_side + 1) return -1
  const from = Math.max(lower, 1)
  const inherited = from + ((number - from) & ORACLE_NUMBER_MASK)
  return inherited <= base ? inherited : -1
}

/** Whether an inherited value is not the one that was read before: what fork copied stays as it is. */
export function oracle_changed(r: number, value: number, number: number, seen: number): boolean {
  const base = oracle[r + oreg$base]
  if (value === 0) return seen > 0 && oracle[r + oreg$zero] <= base
  return number <= base && number !== seen
}
