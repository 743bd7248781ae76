/**
 * What every store promises. The number is stable; `conformance/` has at least one case for each, and a test fails
 * when one has none.
 */
export const clauses = {
  // Commit
  C1: 'A resolved commit is readable by every later read, of any handle on the same store.',
  C2: 'A commit is all or nothing: a refused one leaves no event, head, part, ref, usage row, key, attachment or lease change.',
  C3: 'Seqs are gap-free from 1, in the order of the commit, and assigned from the base.',
  C4: 'A commit whose base is not the head is refused as `conflict` with the head seq.',
  C5: 'In one batch each commit is judged on its own: a refused one does not fail its neighbours, and later ones see earlier ones.',
  C6: 'Of two commits on the same base exactly one is committed, whichever handle sends it.',
  C7: 'Creating an id that exists, or existed and was deleted, is refused as `id_taken`.',
  C8: 'An event body is given back as exactly the text that was written, whatever its size or characters.',
  C9: 'The commit id of every event can be read, so that an unknown outcome can be settled.',
  // Keys
  K1: 'A key used again with the same hash is `replayed` with the first effect’s seqs and writes nothing, even when the base moved.',
  K2: 'A key used with another hash is refused as `key_conflict`.',
  K3: 'Keys are scoped to tenant and session.',
  K4: 'An expired key is gone after a sweep and not before.',
  K5: 'A refused commit does not use up its key.',
  K6: 'A session’s keys are listed by key, page after page, each with its hash, its seqs and its end.',
  // Lease
  L1: 'Taking a free lease raises the epoch by one and sets owner and end by the store’s clock.',
  L2: 'Taking a held lease is refused as `lease_held` until its end is past; then it succeeds.',
  L3: 'A commit with a stale epoch, or with an epoch after release, is refused as `fenced`.',
  L4: 'Renewal moves the end only for the current epoch while it is held.',
  L5: 'A release clears owner and end and keeps the epoch.',
  L6: 'A commit without an epoch is not hindered by another’s lease.',
  L7: 'A lease renewed after it was read as lost cannot be taken, or released as lost, on that reading.',
  L8: 'A session that nobody holds is due from the moment a commit says so, until one says it is not or takes its lease; a held one is not changed by it.',
  // Reads
  R1: 'Reading forward gives rising seqs after `after` through `through`; backward gives falling ones; both ends as documented.',
  R2: 'A page ends by `limit` or before passing `maxBytes`, and has at least one event if one exists.',
  R3: 'What a read returns is a copy: changing it changes nothing stored.',
  R4: 'Another tenant’s session reads exactly as a missing one, on every read and write.',
  R5: 'A part is read as of a seq: the newest row at or before it; a removed part is absent.',
  R6: 'A waypoint is read as of a seq: the newest at or before it.',
  R7: 'Refs are found by kind and id, rising by seq.',
  R8: 'A changed body is found by its checksum and reported as `store_corrupt`, never returned.',
  // Lists
  P1: 'A list is complete and in its documented order, page after page, with ties broken by id.',
  P2: 'A list row moves with its session’s activity; paging on neither repeats nor loses the rows that did not move.',
  P3: 'Due lists hold exactly the sessions whose time is at or before the given one.',
  P4: 'Tenants with a session are listed once each.',
  // Forks
  F1: 'A fork reads its source’s prefix and then its own events in one seq space, in both directions and across pages.',
  F2: 'Forking copies no event row and does not change the source.',
  F3: 'Later events of the source are not seen by the fork.',
  F4: 'A session that others are based on is not deleted without `cascade`; with it, all go.',
  F5: 'A fork of a missing source, beyond its head, or decided before an erasure in it, is refused as `source_missing`.',
  F6: 'Refs and attachments of the prefix are found through the fork, those after it are not.',
  // Drafts
  D1: 'Chunks are kept in order and read from any chunk on.',
  D2: 'A chunk that does not follow the last is refused as `gap`, with the last number.',
  D3: 'A draft write with a stale epoch is refused as `fenced`.',
  D4: 'The commit that names a draft removes its chunks, and no chunk of it is taken any more.',
  // Checkpoints, records, usage, attachments
  B1: 'A checkpoint is read by id or as the newest; unchanged channels store no body again.',
  B2: 'A record is changed only on the expected version; 0 inserts.',
  B3: 'Records are listed by id, filtered by key.',
  B4: 'Usage sums equal the sum of the rows, for a session, a tree and a tenant; an unknown cost is counted, not added.',
  B5: 'An attachment is read by its hash within its session only.',
  B6: 'A walk along the ledger gives each row of the tenant that fits the filter once, in order, whatever the stretches, those of deleted sessions too; a stretch looks at no more rows than it was told.',
  B7: 'The groups of a walk add up to its rows, under any grouping and filter; a sum is exact, or refused as `limit_exceeded`.',
  B8: 'A piece of an attachment is its bytes from an offset on, as far as it goes, and names the size of the whole; it is found where the whole is.',
  // Search
  S1: 'An event is found by each of its words after indexing, with its session and seq, and only by its tenant.',
  S2: 'Indexing is bounded by bytes and says when more waits; searching never blocks on it.',
  S3: 'After a reset the index is rebuilt with the same hits.',
  S4: 'Deleted and erased events are not found.',
  // Deletion
  E1: 'After deletion the session is gone from every read, list and search; its usage rows stay, without user.',
  E2: 'Erasing keeps seq, type, time and keys and gives the erased body; parts, waypoints, refs, checkpoints and drafts from there on and the named attachments are gone.',
  E3: 'After `scrub` the erased bytes are in no file that the store holds.',
  E4: 'A deletion that names the seq it was decided on is refused as `moved` when the head is elsewhere, and deletes nothing.',
  // Damage
  I1: 'A session’s row is read as it stands, with where its events end; its own refs are read by a range of seqs.',
  I2: 'A rebuild replaces the derived rows it names, drops what is derived beyond its last seq, and changes nothing else.',
  I3: 'A rebuild that was folded from another last event is refused and writes nothing.',
  I4: 'A store that nothing harmed finds nothing wrong with itself, however it was used.',
  // Life
  O1: 'Closing twice is harmless; use after close rejects with `store_closed`.',
  O2: 'What was committed is there after closing and opening again (stores with a place).',
  O3: 'Opening an older schema migrates it, once, also when two processes open at once; a newer one is refused as `store_unsupported`.',
  O4: 'A write by another handle on the same place calls the foreign-write listeners.',
} as const

export type Clause = keyof typeof clauses
