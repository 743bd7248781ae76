/** Sessions of which something stays when content is erased: because of a legal hold, or of damage. */
import { type HoldfastError, isHoldfastError } from '@holdfast/protocol'
import { isUnreadable } from './each-head.ts'
import type { ErasureReceipt } from './receipt.ts'

export class LeftOut {
  readonly held = new Set<string>()
  readonly damaged = new Set<string>()

  get isEmpty(): boolean {
    return this.held.size === 0 && this.damaged.size === 0
  }

  /** True when the work was done; false when a session is in its way, which is noted: the one that the refusal names. */
  async unless(sessionId: string, work: () => Promise<unknown>): Promise<boolean> {
    try {
      await work()
      return true
    } catch (error) {
      if (!isHoldfastError(error, 'session_held') && !isUnreadable(error)) throw error
      this.note(error, sessionId)
      return false
    }
  }

  /** `sessionId`: whose turn it was, for a refusal that names none. */
  note({ code, details }: HoldfastError, sessionId: string): void {
    const left = code === 'session_held' ? this.held : this.damaged
    left.add(typeof details.sessionId === 'string' ? details.sessionId : sessionId)
  }

  told(): Pick<ErasureReceipt, 'held' | 'damaged'> {
    return {
      ...(this.held.size > 0 && { held: [...this.held] }),
      ...(this.damaged.size > 0 && { damaged: [...this.damaged] }),
    }
  }
}
