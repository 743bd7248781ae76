/**
 * A disk that forgets: it follows a trace and keeps apart what was synced from what was only written. `powerCut` gives
 * one of the many contents that the folder may have when the power goes out now:
 *
 * - of the unsynced bytes of a file each sector may be new, old or (where the file grew) garbage, in any combination;
 * - an unsynced truncation may or may not have happened;
 * - names made, removed or moved since the folder was synced stand as after the first k of those changes.
 */
import { Bytes } from './bytes.ts'
import type { Random } from './random.ts'
import type { Change } from './trace.ts'

type Names = ReadonlyMap<string, File>

export class Disk {
  /** What the folder holds, last; before it, every state since the folder was last synced. */
  #names: Names[] = [new Map()]

  apply(change: Change): void {
    const { operation, name } = change
    if (operation === 'unlink') this.#move(name)
    else if (operation === 'rename') this.#move(name, change.data.toString())
    else if (operation !== 'sync') this.#file(name).change(change)
    else if (name === '.') this.#names = [this.#now()]
    else this.#file(name).sync()
  }

  /** The folder as the running system sees it. */
  current(): Map<string, Buffer> {
    return contents(this.#now(), kept)
  }

  powerCut(random: Random): Map<string, Buffer> {
    const fate = random.pick([kept, dropped, torn(random, 512), torn(random, 4096), torn(random, 1 << 30)])
    return contents(random.pick(this.#names), fate)
  }

  #now(): Names {
    return this.#names.at(-1) as Names
  }

  #file(name: string): File {
    const file = this.#now().get(name) ?? new File()
    if (!this.#now().has(name)) this.#names.push(new Map([...this.#now(), [name, file]]))
    return file
  }

  #move(name: string, target?: string): void {
    const names = new Map(this.#now())
    const file = names.get(name)
    names.delete(name)
    if (file && target !== undefined) names.set(target, file)
    this.#names.push(names)
  }
}

class File {
  #synced = new Bytes()
  #unsynced: Change[] = []
  #size = 0

  change(change: Change): void {
    const offset = change.offset < 0 ? this.#size : change.offset
    this.#size = change.operation === 'truncate' ? offset : Math.max(this.#size, offset + change.data.length)
    this.#unsynced.push({ ...change, offset })
  }

  sync(): void {
    for (const change of this.#unsynced) kept(this.#synced, change, 0)
    this.#unsynced = []
  }

  after(fate: Fate): Buffer {
    const left = this.#synced.copy()
    for (const change of this.#unsynced) fate(left, change, this.#synced.length)
    return left.view()
  }
}

function contents(names: Names, fate: Fate): Map<string, Buffer> {
  return new Map([...names].map(([name, file]) => [name, file.after(fate)]))
}

/** What becomes of one unsynced change. */
type Fate = (left: Bytes, change: Change, syncedLength: number) => void

const dropped: Fate = () => {}

const kept: Fate = (left, { operation, offset, data }) => {
  if (operation === 'truncate') left.truncate(offset)
  else left.write(offset, data)
}

/** Each sector of a change has its own fate. A sector larger than any change: whole changes, in any combination. */
function torn(random: Random, sector: number): Fate {
  return (left, change, syncedLength) => {
    if (change.operation === 'truncate' && random.chance(0.5)) kept(left, change, syncedLength)
    for (const { offset, data } of pieces(change, sector)) {
      if (random.chance(0.5)) left.write(offset, data)
      else if (offset >= syncedLength && random.chance(0.25)) left.write(offset, random.bytes(data.length))
    }
  }
}

/** A write cut at the bounds of sectors. Bytes beside the write are never harmed, as SQLite assumes too. */
function pieces({ offset, data }: Change, sector: number): { offset: number; data: Buffer }[] {
  const found = []
  for (let at = 0; at < data.length; ) {
    const length = Math.min(sector - ((offset + at) % sector), data.length - at)
    found.push({ offset: offset + at, data: data.subarray(at, at + length) })
    at += length
  }
  return found
}
