/** The one table of what can be found wrong: how bad it is, and what a repair does about it. */
import type { TenantId } from '@holdfast/protocol'
import type { StoreFindingCode } from '../../store/store.ts'

/** `error`: something is lost or wrong. `warning`: something waits to be put right. `note`: worth knowing, nothing to do. */
export type Severity = 'error' | 'warning' | 'note'

/**
 * `append`: events that end what was left open. `rebuild`: derived rows are folded from the log anew. `reindex`: the
 * search index is dropped and filled. `scrub`: rows that nothing names are taken away. `restore`: nothing here has it;
 * it is in a backup or nowhere. `none`: nothing is to be done by a repair.
 */
export type RepairWay = 'append' | 'rebuild' | 'reindex' | 'scrub' | 'restore' | 'none'

type SessionFindingCode =
  | 'event_damaged'
  | 'event_invalid'
  | 'event_unknown'
  | 'segments_wrong'
  | 'unpaired'
  | 'id_wrong'
  | 'seq_wrong'
  | 'head_wrong'
  | 'head_newer'
  | 'columns_wrong'
  | 'part_wrong'
  | 'waypoint_wrong'
  | 'refs_wrong'
  | 'usage_wrong'
  | 'lease_wrong'
  | 'attachment_damaged'
  | 'run_lost'
  | 'calls_open'
  | 'child_open'
  | 'draft_stray'
  | 'draft_damaged'

export type FindingCode = SessionFindingCode | StoreFindingCode

interface Entry {
  severity: Severity
  repair: RepairWay
  meaning: string
}

const sessionFindings: Readonly<Record<SessionFindingCode, Entry>> = {
  event_damaged: {
    severity: 'error',
    repair: 'restore',
    meaning: 'An event is missing, fails its checksum or is not JSON.',
  },
  event_invalid: {
    severity: 'error',
    repair: 'restore',
    meaning: 'An event is whole, but not of the shape of its type, or cannot follow the ones before it.',
  },
  event_unknown: {
    severity: 'note',
    repair: 'none',
    meaning: 'An event is of a newer version; what is derived from there on is not judged.',
  },
  segments_wrong: {
    severity: 'error',
    repair: 'restore',
    meaning: 'The prefix of a fork is not read from where the fork was made.',
  },
  unpaired: {
    severity: 'error',
    repair: 'none',
    meaning: 'A result answers no open call, or the view that a provider is sent breaks its rules.',
  },
  id_wrong: {
    severity: 'error',
    repair: 'restore',
    meaning: 'The row of a session bears another id than its head. Nothing of it is judged.',
  },
  seq_wrong: {
    severity: 'error',
    repair: 'rebuild',
    meaning: 'The row of a session fails its checksum, or names another last seq than its head and its log.',
  },
  head_wrong: {
    severity: 'error',
    repair: 'rebuild',
    meaning: 'The head fails its checksum or is not the fold of the log.',
  },
  head_newer: {
    severity: 'note',
    repair: 'none',
    meaning: 'The head has a newer version; what is derived is not judged.',
  },
  columns_wrong: {
    severity: 'error',
    repair: 'rebuild',
    meaning: 'What lists and sweeps go by fails its checksum or is not what the head says.',
  },
  part_wrong: {
    severity: 'error',
    repair: 'rebuild',
    meaning: 'A part fails its checksum, is missing, or is not the fold of the log.',
  },
  waypoint_wrong: {
    severity: 'error',
    repair: 'rebuild',
    meaning: 'A kept head fails its checksum, is missing, or is not the fold of the log.',
  },
  refs_wrong: {
    severity: 'error',
    repair: 'rebuild',
    meaning: 'The ids under which an event is found fail their checksum or are not the ones that it carries.',
  },
  usage_wrong: {
    severity: 'error',
    repair: 'rebuild',
    meaning:
      'Rows of the ledger fail their checksum, or they or their sums are not what the usage events say.',
  },
  lease_wrong: {
    severity: 'error',
    repair: 'rebuild',
    meaning:
      'The lease fails its checksum, its epoch is not the last one taken, or it is held without a live run.',
  },
  attachment_damaged: {
    severity: 'error',
    repair: 'restore',
    meaning: 'A file that an event brought is missing or fails its checksum.',
  },
  run_lost: { severity: 'warning', repair: 'append', meaning: 'A run is live and its lease is lost.' },
  calls_open: {
    severity: 'warning',
    repair: 'append',
    meaning: 'Outside a run calls wait for results, and nothing was written for long.',
  },
  child_open: {
    severity: 'warning',
    repair: 'append',
    meaning: 'A child has ended, or was never created, and its parent was not told for long.',
  },
  draft_stray: {
    severity: 'warning',
    repair: 'append',
    meaning: 'A draft is of a run that is over or never was.',
  },
  draft_damaged: {
    severity: 'warning',
    repair: 'none',
    meaning: 'A draft fails its checksum or has lost some of its chunks.',
  },
}

const storeFindings: Readonly<Record<StoreFindingCode, Entry>> = {
  engine_damaged: {
    severity: 'error',
    repair: 'restore',
    meaning: 'The engine of the store finds its own structures damaged.',
  },
  setting_lost: {
    severity: 'error',
    repair: 'none',
    meaning: 'A setting of the engine is not in force any more: open the store anew.',
  },
  schema_moved: {
    severity: 'error',
    repair: 'none',
    meaning: 'The schema was changed by another version: update this process.',
  },
  session_lost: {
    severity: 'error',
    repair: 'restore',
    meaning: 'There are events of a session whose row is gone.',
  },
  stray_rows: { severity: 'warning', repair: 'scrub', meaning: 'There are rows that nothing names.' },
  tenant_lost: {
    severity: 'error',
    repair: 'restore',
    meaning: 'There are sessions, or rows of the ledger, of a tenant whose row is gone.',
  },
  erasures_wrong: {
    severity: 'error',
    repair: 'scrub',
    meaning:
      'The count of what waits to be made final is damaged: a scrub makes everything final and counts anew.',
  },
  garbage_wrong: {
    severity: 'error',
    repair: 'scrub',
    meaning: 'A session that is there is marked as deleted: the mark goes, the session stays.',
  },
  draft_lost: {
    severity: 'warning',
    repair: 'restore',
    meaning:
      'Text of a draft whose row is gone, or a draft of a session whose row is. The text goes with its session, or with an erasure in it.',
  },
  checkpoint_damaged: {
    severity: 'error',
    repair: 'restore',
    meaning: 'A checkpoint, or a body that it names, fails its checksum or is missing.',
  },
  row_damaged: {
    severity: 'error',
    repair: 'restore',
    meaning:
      'A row that is folded from no log fails its checksum: a key, a record, a tombstone, the bill of a session that is gone.',
  },
  at_risk: {
    severity: 'warning',
    repair: 'none',
    meaning:
      'A failure of one machine may take what was acknowledged; it is for the settings of the server to change.',
  },
  replicated: {
    severity: 'note',
    repair: 'none',
    meaning: 'Where else what is acknowledged is, as the server tells it.',
  },
  index_stale: {
    severity: 'warning',
    repair: 'reindex',
    meaning: 'The search index lacks events that it claims to hold, or holds words of none.',
  },
}

export const findingCatalogue: Readonly<Record<FindingCode, Entry>> = { ...sessionFindings, ...storeFindings }

/** It is told by the store, not by a session's own log. */
export function isOfStore({ code }: Pick<Finding, 'code'>): boolean {
  return Object.hasOwn(storeFindings, code)
}

export interface Finding {
  code: FindingCode
  severity: Severity
  repair: RepairWay
  /** Absent: of the store as a whole. */
  tenantId?: TenantId
  sessionId?: string
  seq?: number
  /** Says what and where, never content. */
  message: string
}

export function findingOf(
  code: FindingCode,
  message: string,
  place: Pick<Finding, 'tenantId' | 'sessionId' | 'seq'> = {},
): Finding {
  const { severity, repair } = findingCatalogue[code]
  return { code, severity, repair, ...place, message }
}
