/** B: what is kept beside the log: checkpoints, records, usage, attachments. */
import { limits } from '@holdfast/protocol'
import type { CheckpointWrite, RecordRow, UsageRow, UsageTotals } from '../../store.ts'
import { attachmentOf, bodyOfBytes, hashOf } from '../build.ts'
import type { StoreCase } from '../case.ts'
import { rejects, same } from '../expect.ts'
import { hostileBodies, hostileIds } from '../hostile.ts'
import { allPages } from '../paging.ts'
import type { Trial } from '../trial.ts'

/** A checkpoint of session `s` that stores the body of each channel it names in `fresh`. */
function checkpointOf(
  t: Trial,
  checkpointId: string,
  channels: Readonly<Record<string, string>>,
  fresh: readonly string[],
  rest: Partial<CheckpointWrite> = {},
): CheckpointWrite {
  return {
    tenantId: t.tenant,
    sessionId: 's',
    threadId: 'thread',
    namespace: '',
    checkpointId,
    parentId: undefined,
    channels: Object.fromEntries(Object.entries(channels).map(([name, body]) => [name, hashOf(body)])),
    bodies: fresh.map((body) => ({ hash: hashOf(body), body })),
    ...rest,
  }
}

function readBack(write: CheckpointWrite): unknown {
  const { tenantId: _, bodies: __, ...row } = write
  return row
}

async function bodyIn(t: Trial, sessionId: string, body: string): Promise<string | undefined> {
  const bytes = await t.store.readAttachment(t.tenant, sessionId, hashOf(body))
  return bytes && Buffer.from(bytes).toString()
}

function sumOf(rows: readonly UsageRow[]): UsageTotals {
  const sum = (value: (row: UsageRow) => number) => rows.reduce((total, row) => total + value(row), 0)
  return {
    rows: rows.length,
    promptTokens: sum((row) => row.promptTokens),
    completionTokens: sum((row) => row.completionTokens),
    reasoningTokens: sum((row) => row.reasoningTokens),
    cachedReadTokens: sum((row) => row.cachedReadTokens),
    cachedWriteTokens: sum((row) => row.cachedWriteTokens),
    costMicrocents: sum((row) => row.costMicrocents ?? 0),
    costUnknown: rows.filter((row) => row.costMicrocents === undefined).length,
    costEstimated: rows.filter((row) => row.estimated).length,
  }
}

export const besideCases: readonly StoreCase[] = [
  {
    id: 'B1.1',
    clause: 'B1',
    title: 'a checkpoint is read by id, and without one the newest written is',
    async run(t) {
      await t.create('s')
      const first = checkpointOf(t, 'z', { state: '"1"' }, ['"1"'])
      const second = checkpointOf(t, 'a', { state: '"2"', log: '[]' }, ['"2"', '[]'], { parentId: 'z' })
      await t.putCheckpoint(first)
      same(await t.store.readCheckpoint(t.tenant, 'thread', ''), readBack(first))
      await t.putCheckpoint(second)
      same(await t.store.readCheckpoint(t.tenant, 'thread', ''), readBack(second))
      same(await t.store.readCheckpoint(t.tenant, 'thread', '', 'z'), readBack(first))
      same(await t.store.readCheckpoint(t.tenant, 'thread', '', 'a'), readBack(second))
      same(await t.store.readCheckpoint(t.tenant, 'thread', '', 'none'), undefined)
      same(await bodyIn(t, 's', '"2"'), '"2"')
    },
  },
  {
    id: 'B1.2',
    clause: 'B1',
    title: 'threads and namespaces keep their own checkpoints, whatever their names',
    async run(t) {
      await t.create('s')
      const places = hostileIds.flatMap((name) => [
        { threadId: name, namespace: '' },
        { threadId: 'thread', namespace: name },
      ])
      for (const [index, place] of places.entries()) {
        await t.putCheckpoint(checkpointOf(t, `cp${index}`, {}, [], place))
      }
      for (const [index, { threadId, namespace }] of places.entries()) {
        const read = await t.store.readCheckpoint(t.tenant, threadId, namespace)
        same(read?.checkpointId, `cp${index}`)
      }
    },
  },
  {
    id: 'B1.3',
    clause: 'B1',
    title: 'an unchanged channel repeats its hash and needs no body again',
    async run(t) {
      await t.create('s')
      const large = bodyOfBytes(2 * limits.asideBytes)
      await t.putCheckpoint(checkpointOf(t, 'c1', { large, small: '1' }, [large, '1']))
      await t.putCheckpoint(checkpointOf(t, 'c2', { large, small: '2' }, ['2'], { parentId: 'c1' }))
      const second = await t.store.readCheckpoint(t.tenant, 'thread', '')
      same(second?.channels, { large: hashOf(large), small: hashOf('2') })
      same(await bodyIn(t, 's', large), large)
    },
  },
  {
    id: 'B1.4',
    clause: 'B1',
    title: 'a channel whose body is nowhere is refused, and nothing of the checkpoint is written',
    async run(t) {
      await t.create('s')
      await t.create('other')
      const body = '"elsewhere"'
      await t.putCheckpoint(checkpointOf(t, 'c0', { a: body }, [body], { sessionId: 'other', threadId: 'x' }))
      const bad = checkpointOf(t, 'c1', { a: '"here"', b: body }, ['"here"'])
      t.names.noteCheckpoint(bad)
      await t.unchanged(() => rejects(t.store.putCheckpoint(bad), 'invalid_input'))
    },
  },
  {
    id: 'B1.5',
    clause: 'B1',
    title: 'hostile bodies and channel names come back as they were written',
    async run(t) {
      await t.create('s')
      const channels = Object.fromEntries(hostileBodies.map((body, index) => [`${hostileIds[index]}`, body]))
      const write = checkpointOf(t, 'c1', channels, hostileBodies)
      await t.putCheckpoint(write)
      same((await t.store.readCheckpoint(t.tenant, 'thread', '', 'c1'))?.channels, write.channels)
      for (const body of hostileBodies) same(await bodyIn(t, 's', body), body)
    },
  },
  {
    id: 'B1.6',
    clause: 'B1',
    title: 'a replayed one that is there changes nothing, and one that is not takes the place of its event',
    async run(t) {
      await t.create('s')
      await t.create('other')
      await t.append('s', { events: ['2', '3', '4', '5'] })
      const put = (id: string, body: string, rest: Partial<CheckpointWrite>) =>
        t.putCheckpoint(checkpointOf(t, id, { a: body }, [body], rest))
      const newest = async () => (await t.store.readCheckpoint(t.tenant, 'thread', ''))?.checkpointId
      await put('first', '1', { seq: 1 })
      await put('third', '3', { seq: 3 })
      await put('of-other', '4', { sessionId: 'other' })
      await t.unchanged(() => put('first', '1', { seq: 1, replayed: true }))
      await put('second', '2', { seq: 2, replayed: true })
      same(await newest(), 'of-other')
      same((await t.store.readCheckpoint(t.tenant, 'thread', '', 'second'))?.channels, { a: hashOf('2') })
      await put('fourth', '5', { seq: 4, replayed: true })
      same(await newest(), 'fourth')
      await t.unchanged(() => put('third', '3', { seq: 3, replayed: true }))
      await put('third', '6', { seq: 5, replayed: true })
      same(await newest(), 'third')
    },
  },
  {
    id: 'B2.1',
    clause: 'B2',
    title: 'a record is inserted on 0, changed on its version, and refused on any other',
    async run(t) {
      t.names.noteRecord(t.tenant, 'persona')
      const record = (body: string, key?: string) => ({ kind: 'persona', id: 'p', key, body })
      const put = (body: string, version: number) => t.store.putRecord(t.tenant, record(body, 'k'), version)
      await t.unchanged(async () => same(await put('"0"', 1), { status: 'conflict', version: 0 }))
      same(await put('"1"', 0), { status: 'written', version: 1 })
      await t.unchanged(async () => {
        for (const version of [0, 2, 99]) same(await put('"x"', version), { status: 'conflict', version: 1 })
      })
      same(await put('"2"', 1), { status: 'written', version: 2 })
      same(await t.store.readRecord(t.tenant, 'persona', 'p'), { ...record('"2"', 'k'), version: 2 })
      same(await t.store.putRecord(t.tenant, record('"3"'), 2), { status: 'written', version: 3 })
      same(await t.store.readRecord(t.tenant, 'persona', 'p'), { ...record('"3"'), version: 3 })
      same(await t.store.readRecord(t.tenant, 'persona', 'none'), undefined)
      same(await t.store.readRecord(t.tenant, 'seed', 'p'), undefined)
    },
  },
  {
    id: 'B2.2',
    clause: 'B2',
    title: 'of two that change a record at once one is refused',
    async run(t) {
      const put = (body: string) =>
        t.store.putRecord(t.tenant, { kind: 'k', id: 'r', key: undefined, body }, 0)
      const outcomes = await Promise.all(['1', '2', '3'].map(put))
      same(outcomes.map(({ status }) => status).sort(), ['conflict', 'conflict', 'written'])
    },
  },
  {
    id: 'B2.3',
    clause: 'B2',
    title: 'hostile and large bodies of records come back as they were written',
    async run(t) {
      const bodies = [...hostileBodies, bodyOfBytes(limits.recordBytes, '中')]
      for (const [index, body] of bodies.entries()) {
        await t.store.putRecord(t.tenant, { kind: 'k', id: `r${index}`, key: undefined, body }, 0)
        same((await t.store.readRecord(t.tenant, 'k', `r${index}`))?.body, body)
      }
    },
  },
  {
    id: 'B3.1',
    clause: 'B3',
    title: 'records are listed by id in byte order, page after page',
    async run(t) {
      const ids = [...hostileIds, 'b', 'B', 'a.1', 'a-1', '10', '9', '\uff21', 'ä']
      for (const id of ids) await t.store.putRecord(t.tenant, { kind: 'k', id, key: undefined, body: '1' }, 0)
      await t.store.putRecord(t.tenant, { kind: 'other', id: 'x', key: undefined, body: '1' }, 0)
      const expected = ids.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
      for (const limit of [1, 7, 1_000]) {
        const rows = await allPages((last: RecordRow | undefined) =>
          t.store.listRecords(t.tenant, 'k', { limit, ...(last ? { after: last.id } : {}) }),
        )
        same(
          rows.map(({ id }) => id),
          expected,
        )
      }
    },
  },
  {
    id: 'B3.2',
    clause: 'B3',
    title: 'a list of records can be filtered by key, which follows the record as it changes',
    async run(t) {
      const put = (id: string, key: string | undefined, version = 0) =>
        t.store.putRecord(t.tenant, { kind: 'k', id, key, body: '1' }, version)
      for (const [id, key] of [
        ['a', 'x'],
        ['b', 'y'],
        ['c', 'x'],
        ['d', undefined],
        ['e', 'X'],
      ] as const) {
        await put(id, key)
      }
      const listed = async (query: { key?: string; after?: string; limit: number }) =>
        (await t.store.listRecords(t.tenant, 'k', query)).map(({ id }) => id)
      same(await listed({ key: 'x', limit: 10 }), ['a', 'c'])
      same(await listed({ key: 'x', limit: 1 }), ['a'])
      same(await listed({ key: 'y', limit: 1 }), ['b'])
      same(await listed({ key: 'x', after: 'a', limit: 10 }), ['c'])
      same(await listed({ key: '%', limit: 10 }), [])
      same(await listed({ limit: 10 }), ['a', 'b', 'c', 'd', 'e'])
      await put('a', 'y', 1)
      same(await listed({ key: 'x', limit: 10 }), ['c'])
      same(await listed({ key: 'y', limit: 10 }), ['a', 'b'])
      same((await t.store.listRecords(t.tenant, 'k', { key: 'y', limit: 1 }))[0]?.version, 2)
    },
  },
  {
    id: 'B4.1',
    clause: 'B4',
    title: 'usage rows are read back whole, by seq, page after page',
    async run(t) {
      const odd: Partial<UsageRow> = {
        runId: undefined,
        ownerUserId: undefined,
        providerId: undefined,
        model: undefined,
        costMicrocents: undefined,
        estimated: true,
        promptTokens: Number.MAX_SAFE_INTEGER,
        purpose: "'; --",
      }
      const first = t.creation('s', { events: 3, usage: [{}, odd, {}] })
      await t.sendAll([first])
      await t.append('s')
      const last = t.commit('s', 4, { usage: [{}] })
      await t.sendAll([last])
      const rows = [...first.usage, ...last.usage]
      same(await t.store.readUsage(t.tenant, 's', 0, 10), rows)
      same(await t.store.readUsage(t.tenant, 's', 0, 2), rows.slice(0, 2))
      same(await t.store.readUsage(t.tenant, 's', 2, 2), rows.slice(2))
      same(await t.store.readUsage(t.tenant, 's', 5, 2), [])
    },
  },
  {
    id: 'B4.2',
    clause: 'B4',
    title: 'sums of session, tree and tenant equal the sums of their rows after every step',
    async run(t) {
      const rows: { sessionId: string; row: UsageRow }[] = []
      const costs = [5, undefined, 0, 1_000_000, undefined, 77]
      for (const [index, sessionId] of ['r', 'c1', 'c2', 'x', 'r', 'c1'].entries()) {
        const head = await t.store.readHead(t.tenant, sessionId)
        const row = {
          rootSessionId: sessionId === 'x' ? 'x' : 'r',
          costMicrocents: costs[index],
          estimated: index % 2 === 0,
          reasoningTokens: index,
        }
        const commit = t.commit(sessionId, head?.seq ?? 0, { create: !head, usage: [row], events: 2 })
        await t.sendAll([commit])
        rows.push(...commit.usage.map((added) => ({ sessionId, row: added })))
        const of = (wanted: (entry: (typeof rows)[number]) => boolean) =>
          sumOf(rows.filter(wanted).map((entry) => entry.row))
        same(
          await t.store.sumUsage(t.tenant, {}),
          of(() => true),
        )
        for (const id of ['r', 'c1', 'c2', 'x', 'none']) {
          same(
            await t.store.sumUsage(t.tenant, { sessionId: id }),
            of((entry) => entry.sessionId === id),
          )
          same(
            await t.store.sumUsage(t.tenant, { rootSessionId: id }),
            of((entry) => entry.row.rootSessionId === id),
          )
        }
      }
      same((await t.store.sumUsage(t.stranger, {})).rows, 0)
    },
  },
  {
    id: 'B5.1',
    clause: 'B5',
    title: 'an attachment is read by its hash in its session and in no other',
    async run(t) {
      const file = attachmentOf(Uint8Array.from({ length: 256 }, (_, byte) => byte))
      const empty = attachmentOf('')
      await t.create('s', { attachments: [file, empty] })
      await t.create('other')
      same(await t.store.readAttachment(t.tenant, 's', file.hash), Buffer.from(file.bytes))
      same(await t.store.readAttachment(t.tenant, 's', empty.hash), Buffer.from(''))
      same(await t.store.readAttachment(t.tenant, 'other', file.hash), undefined)
      same(await t.store.readAttachment(t.tenant, 's', hashOf('another')), undefined)
      await t.append('s', { attachments: [file] })
      same(await t.store.readAttachment(t.tenant, 's', file.hash), Buffer.from(file.bytes))
    },
  },
  {
    id: 'B5.2',
    clause: 'B5',
    title: 'the same attachment in two sessions survives the deletion of one',
    async run(t) {
      const file = attachmentOf('shared content')
      await t.create('a', { attachments: [file] })
      await t.create('b', { attachments: [file] })
      await t.store.deleteSession(t.tenant, 'a', { cascade: false })
      same(await t.store.readAttachment(t.tenant, 'a', file.hash), undefined)
      same(await t.store.readAttachment(t.tenant, 'b', file.hash), Buffer.from(file.bytes))
    },
  },
  {
    id: 'B5.3',
    clause: 'B5',
    title: 'an attachment of a megabyte comes back whole',
    async run(t) {
      const large = attachmentOf(Uint8Array.from({ length: 1_048_576 }, (_, index) => (index * 31) % 251))
      await t.create('s', { attachments: [large] })
      const read = await t.store.readAttachment(t.tenant, 's', large.hash)
      same(read && hashOf(read), large.hash)
    },
  },
  {
    id: 'B8.1',
    clause: 'B8',
    title: 'pieces of an attachment, laid one after the other, are the attachment',
    async run(t) {
      const file = attachmentOf(Uint8Array.from({ length: 700_001 }, (_, index) => (index * 31) % 251))
      await t.create('s', { attachments: [file] })
      const bytes = Buffer.from(file.bytes)
      for (const length of [1, 4_096, 262_144, 700_001, 900_000]) {
        for (const offset of [0, 1, 262_143, 262_144, 700_000, 700_001, 900_000]) {
          const piece = await pieceOf(t, 's', file.hash, offset, length)
          same(piece, [bytes.toString('hex', offset, offset + length), bytes.byteLength])
        }
      }
      same(await pieceOf(t, 's', file.hash, 0, 0), ['', bytes.byteLength])
    },
  },
  {
    id: 'B8.2',
    clause: 'B8',
    title: 'a piece of an empty attachment is empty',
    async run(t) {
      const empty = attachmentOf('')
      await t.create('s', { attachments: [empty] })
      same(await pieceOf(t, 's', empty.hash, 0, 9), ['', 0])
    },
  },
  {
    id: 'B8.3',
    clause: 'B8',
    title: 'a piece is found in its session, through a fork from there on, and nowhere else',
    async run(t) {
      const [early, late] = [attachmentOf('early'), attachmentOf('late')]
      await t.create('a', { events: 2, attachments: [early] })
      await t.append('a', { attachments: [late] })
      await t.fork('a', 2, 'b')
      await t.create('other')
      const found = (sessionId: string) =>
        Promise.all([early, late].map(({ hash }) => pieceOf(t, sessionId, hash, 1, 2)))
      const hex = (text: string) => Buffer.from(text).toString('hex')
      same(await found('a'), [
        [hex('ar'), 5],
        [hex('at'), 4],
      ])
      same(await found('b'), [[hex('ar'), 5], undefined])
      same(await found('other'), [undefined, undefined])
      const theirs = await t.store.readAttachmentPiece(t.stranger, 'a', early.hash, { offset: 0, length: 1 })
      same(theirs, undefined)
    },
  },
]

async function pieceOf(t: Trial, sessionId: string, hash: string, offset: number, length: number) {
  const found = await t.store.readAttachmentPiece(t.tenant, sessionId, hash, { offset, length })
  return found && [Buffer.from(found.bytes).toString('hex'), found.size]
}
