// Histograms of nanoseconds as the kernel counts them (latency_bucket of mm/vmstat.ts): four equal buckets for each
// doubling.

/** Lower bound of bucket `index` in nanoseconds; the upper bound is the lower one of the next bucket. */
export function bucketStart(index: number): number {
  return (4 + (index & 3)) * 2 ** ((index >> 2) - 2)
}

/**
 * The time in nanoseconds that a share `p` (0 to 1) of the counted times does not exceed, linear within a bucket and at
 * most `max`; 0 when nothing was counted.
 */
export function percentile(buckets: Float64Array, p: number, max: number): number {
  let total = 0
  for (const count of buckets) total += count
  if (total === 0) return 0
  const wanted = p * total
  let below = 0
  for (const [index, count] of buckets.entries()) {
    if (count > 0 && below + count >= wanted) {
      const start = bucketStart(index)
      const within = (wanted - below) / count
      return Math.min(max, start + within * (bucketStart(index + 1) - start))
    }
    below += count
  }
  return max
}
