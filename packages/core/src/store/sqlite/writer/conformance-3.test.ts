import { runThreadShare } from '../testing/thread-share.ts'

runThreadShare(2)
