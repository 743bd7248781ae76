/** The large real transcripts beside the checkout; tests that need them skip without them, and say so. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'

export const sharedData = join(import.meta.dirname, '../../../../shared/data')
export const hasSharedData = existsSync(sharedData)
export const why = 'needs the real transcripts in ../shared/data beside the checkout'
