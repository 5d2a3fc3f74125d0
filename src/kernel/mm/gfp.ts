/** What an allocation may do (include/linux/gfp_types.h, 6.1): the flags that this kernel tells apart. */
export const __GFP_ZERO = 1 << 8
export const __GFP_ACCOUNT = 1 << 22
/** May use the reserve below the low watermark. */
export const __GFP_HIGH = 1 << 5
/** May reclaim memory itself, and wait for it. */
export const __GFP_DIRECT_RECLAIM = 1 << 10
/** May not wait: under a spinlock. */
export const GFP_ATOMIC = __GFP_HIGH
export const GFP_KERNEL = 0xcc0
export const GFP_HIGHUSER_MOVABLE = 0xcca
export const GFP_PGTABLE_USER = GFP_KERNEL | __GFP_ZERO | __GFP_ACCOUNT
