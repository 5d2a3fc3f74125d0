// The targets of the validation, in the order of the table.
import type { Target } from '../target.ts'
import { kernel } from './kernel.ts'
import { real } from './real.ts'
import { seeds } from './seeds.ts'
import { t1 } from './t1.ts'
import { t10 } from './t10.ts'
import { t6 } from './t6.ts'
import { t9 } from './t9.ts'

export const TARGETS: readonly Target[] = [t1, t6, t9, t10, real, seeds, kernel]
