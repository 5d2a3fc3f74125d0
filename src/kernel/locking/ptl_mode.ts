/** What the entries of a page table are taken for, as a page-table-lock design is told. */

/** Nobody may change them meanwhile; others may look, too. */
export const PTL_READ = 0
/** To change them: nobody else has them, in either mode. */
export const PTL_WRITE = 1
