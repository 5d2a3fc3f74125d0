// What the data oracle's record of a violation says in a sentence. Host code; the record's layout is in
// src/kernel/oracle/layout.ts.

type OracleSymbols = Pick<
  typeof import('../kernel/oracle/layout.ts'),
  | 'orecord$mm_id'
  | 'orecord$page'
  | 'orecord$word'
  | 'orecord$value'
  | 'orecord$lower'
  | 'orecord$upper'
  | 'orecord$base'
  | 'orecord$zero'
  | 'orecord$pid'
  | 'orecord$writer_pid'
  | 'orecord$register'
  | 'orecord$side'
  | 'orecord$inherited_side'
  | 'orecord$cpu'
  | 'orecord$addr'
  | 'orecord$seen'
  | 'ORACLE_TAGS'
  | 'ORACLE_TAG_MASK'
  | 'ORACLE_SIDE_SHIFT'
  | 'ORACLE_SIDE_MASK'
  | 'ORACLE_NUMBER_SHIFT'
  | 'ORACLE_NUMBER_MASK'
>

/**
 * The sentence for the record at index `record` of the oracle's memory (the `a` of machine_bug(BUG_ORACLE, a, 0)).
 * `symbols`: the image's symbols.
 */
export function oracleReport(
  oracle: Int32Array,
  record: number,
  symbols: Readonly<Record<string, number>>,
): string {
  const s = symbols as unknown as OracleSymbols
  const at = (offset: number): number => oracle[record + offset]
  const page = at(s.orecord$page)
  const addr = at(s.orecord$addr)
  const moved = addr === page ? '' : `, now mapped at 0x${addr.toString(16)}`
  const writer = at(s.orecord$writer_pid)
  const last = writer === 0 ? 'not written in this mm' : `last written by task ${writer}`
  return (
    `data oracle: cpu ${at(s.orecord$cpu)}, task ${at(s.orecord$pid)}, mm ${at(s.orecord$mm_id)}: ` +
    `word ${at(s.orecord$word)} ` +
    `of page 0x${page.toString(16)}${moved} holds ${describeValue(at(s.orecord$value), at, s)}; expected ` +
    `${describeExpected(at, s)} (${last})`
  )
}

type At = (offset: number) => number

/** What the value stands for, seen from the register that was read. */
function describeValue(value: number, at: At, s: OracleSymbols): string {
  if (value === 0)
    return at(s.orecord$seen) > 0 ? '0: what was read here before is lost' : '0: the store is lost'
  const hex = `0x${(value >>> 0).toString(16)}`
  const tag = value & s.ORACLE_TAG_MASK
  if (tag === 0) return `${hex}, which no program stored`
  if (tag !== 1 + (at(s.orecord$register) % s.ORACLE_TAGS))
    return `${hex}, a value of another word (number ${tag - 1} of the window): foreign data`
  const number = value >>> s.ORACLE_NUMBER_SHIFT
  const side = (value >>> s.ORACLE_SIDE_SHIFT) & s.ORACLE_SIDE_MASK
  if (side === (at(s.orecord$side) & s.ORACLE_SIDE_MASK)) return `store number ${number} of this mm`
  const inherited = at(s.orecord$inherited_side) - 1
  return side === inherited
    ? `store number ${number} of the mm it was forked from`
    : `store number ${number} of another mm (mm_struct ${side}): foreign data`
}

function describeExpected(at: At, s: OracleSymbols): string {
  const [lower, upper, base, zero] = [
    at(s.orecord$lower),
    at(s.orecord$upper),
    at(s.orecord$base),
    at(s.orecord$zero),
  ]
  const numbers: string[] = []
  const modulo = upper > s.ORACLE_NUMBER_MASK ? ` modulo ${s.ORACLE_NUMBER_MASK + 1}` : ''
  const range = (from: number, to: number): string =>
    `number ${from & s.ORACLE_NUMBER_MASK}${from === to ? '' : ` to ${to & s.ORACLE_NUMBER_MASK}`}${modulo}`
  if (zero >= lower) numbers.push('0')
  const seen = at(s.orecord$seen)
  const fixed = seen > 0 && seen <= base && upper <= base
  if (seen < 0 && upper <= base) return '0, read here before, from before the fork'
  if (fixed) return `${range(seen, seen)}, read here before, from before the fork`
  if (Math.max(lower, 1) <= base) numbers.push(`${range(Math.max(lower, 1), base)} from before the fork`)
  if (Math.max(lower, base + 1) <= upper)
    numbers.push(`${range(Math.max(lower, base + 1), upper)} of this mm`)
  return numbers.join(' or ')
}

/** Where the load was that found a wrong value: the CPU, and the page as it is mapped now. */
export interface OraclePlace {
  readonly cpu: number
  readonly mmId: number
  readonly page: number
}

/** That of the record at index `record`, as oracleReport takes it. */
export function oraclePlace(
  oracle: Int32Array,
  record: number,
  symbols: Readonly<Record<string, number>>,
): OraclePlace {
  const s = symbols as unknown as OracleSymbols
  return {
    cpu: oracle[record + s.orecord$cpu],
    mmId: oracle[record + s.orecord$mm_id],
    page: oracle[record + s.orecord$addr],
  }
}
