/** Error numbers that system calls return, negated (include/uapi/asm-generic/errno-base.h). */
export const ENOENT = 2
export const EINTR = 4
export const EAGAIN = 11
export const ENOMEM = 12
export const EACCES = 13
export const EFAULT = 14
export const EBUSY = 16
export const EEXIST = 17
export const EINVAL = 22
export const ECHILD = 10
