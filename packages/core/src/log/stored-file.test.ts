import { expect, it } from 'vitest'
import type { ByteRange } from '../store/store.ts'
import type { StoredFile } from './stored-file.ts'
import { withMembers } from './testing/between.ts'
import { eachStore } from './testing/each-store.ts'

const pieceBytes = 512 * 1024
const bytes = Buffer.from(Uint8Array.from({ length: 3 * pieceBytes + 5 }, (_, index) => (index * 31) % 251))
const file = { bytes, mediaType: 'text/plain' }

async function read(stored: StoredFile | undefined, range?: ByteRange): Promise<Buffer> {
  const pieces: Uint8Array[] = []
  for await (const piece of stored?.pieces(range) ?? []) pieces.push(piece)
  return Buffer.concat(pieces)
}

eachStore('a file in pieces', (place) => {
  it('is the file, in the session and in a fork of it', async () => {
    const { sessions } = await place.open()
    const session = await sessions.create({ agentId: 'agent' })
    const { hash } = await session.putAttachment(file)
    const empty = await session.putAttachment({ ...file, bytes: new Uint8Array() })
    for (const one of [session, await session.fork()]) {
      const stored = await one.openAttachment(hash)
      expect(stored?.bytes).toBe(bytes.byteLength)
      expect((await read(stored)).equals(bytes)).toBe(true)
      expect(await one.openAttachment(empty.hash)).toMatchObject({ bytes: 0 })
      expect(await read(await one.openAttachment(empty.hash))).toEqual(Buffer.alloc(0))
    }
    expect(await session.openAttachment('0'.repeat(64))).toBeUndefined()
    const other = await sessions.create({ agentId: 'agent' })
    expect(await other.openAttachment(hash)).toBeUndefined()
  })

  it('is any range of it', async () => {
    const { sessions } = await place.open()
    const session = await sessions.create({ agentId: 'agent' })
    const stored = await session.openAttachment((await session.putAttachment(file)).hash)
    const ends = [0, 1, pieceBytes - 1, pieceBytes, pieceBytes + 1, 3 * pieceBytes, bytes.byteLength]
    for (const offset of ends) {
      for (const end of ends.filter((end) => end >= offset)) {
        const part = await read(stored, { offset, length: end - offset })
        expect(part.equals(bytes.subarray(offset, end)), `${offset} to ${end}`).toBe(true)
      }
    }
  })

  it('is read no further than its reader went', async () => {
    let taken = 0
    const { sessions } = await place.open({
      wrap: (store) =>
        withMembers(store, {
          readAttachmentPiece: (...call) => {
            expect(call[3].length).toBeLessThanOrEqual(pieceBytes)
            if (call[3].length > 0) taken += 1
            return store.readAttachmentPiece(...call)
          },
        }),
    })
    const session = await sessions.create({ agentId: 'agent' })
    const stored = await session.openAttachment((await session.putAttachment(file)).hash)
    const pieces = stored?.pieces()
    expect(taken).toBe(0)
    for (const least of [1, 2, 3, 4]) {
      await pieces?.next()
      expect(taken).toBe(least)
    }
    await pieces?.return()
  })

  it('is not given to its end when a byte of it changed, whichever range is wanted', async () => {
    if (!place.behind) return
    const { sessions } = await place.open()
    const session = await sessions.create({ agentId: 'agent' })
    const stored = await session.openAttachment((await session.putAttachment(file)).hash)
    const damaged =
      place.dialect === 'postgres'
        ? 'set_byte(bytes, 9, 255)'
        : "CAST(substr(bytes, 1, 9) || x'ff' || substr(bytes, 11) AS BLOB)"
    await place.behind(`UPDATE @attachments SET bytes = ${damaged}`)
    const pieces = stored?.pieces()
    for (let n = 0; n < 3; n++) expect((await pieces?.next())?.value?.byteLength).toBe(pieceBytes)
    await expect(pieces?.next()).rejects.toMatchObject({ code: 'store_corrupt' })
    const afar = stored?.pieces({ offset: pieceBytes, length: 5 })
    await expect(afar?.next()).rejects.toMatchObject({ code: 'store_corrupt' })
  })

  it('ends with its erasure', async () => {
    const { sessions } = await place.open()
    const session = await sessions.create({ agentId: 'agent' })
    const { hash } = await session.putAttachment(file)
    const pieces = (await session.openAttachment(hash))?.pieces()
    await pieces?.next()
    const [note] = (await session.events()).events.filter(({ type }) => type === 'note.added')
    await sessions.erase(session.id, [note?.seq as number])
    await expect(pieces?.next()).rejects.toMatchObject({ code: 'not_found' })
  })
})
