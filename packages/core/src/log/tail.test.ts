import { describe, expect, it } from 'vitest'
import type { NewEvent } from '../store/store.ts'
import { Tail } from './tail.ts'
import { TailMemory } from './tail-memory.ts'

function rows(count: number, size = 10): NewEvent[] {
  const body = JSON.stringify({ actor: { kind: 'host' }, data: { x: 'x'.repeat(size) } })
  return Array.from({ length: count }, () => ({
    type: 'note.added',
    v: 1,
    at: '2026-01-01T00:00:00.000Z',
    body,
  }))
}

describe('a tail', () => {
  it('gives what follows a position, or says that it has not all of it', () => {
    const tail = new Tail(new TailMemory())
    expect(tail.after(0)).toBeUndefined()
    tail.reached(5, 0)
    expect(tail.after(5)).toEqual([])
    expect(tail.after(4)).toBeUndefined()
    tail.push(5, rows(3))
    expect(tail.after(6)?.map(({ seq }) => seq)).toEqual([7, 8])
  })

  it('keeps no text of a session that is gone', () => {
    const tail = new Tail(new TailMemory())
    tail.push(0, rows(2))
    tail.pushDraft('d', 1, [{ kind: 'text', text: 'x' }])
    tail.end('deleted')
    expect([tail.after(0), tail.draft]).toEqual([undefined, undefined])
  })

  it('begins anew after a gap and takes nothing twice', () => {
    const tail = new Tail(new TailMemory())
    tail.push(0, rows(2))
    tail.push(5, rows(2))
    expect(tail.after(2)).toBeUndefined()
    expect(tail.after(5)?.length).toBe(2)
    tail.push(3, rows(2))
    expect(tail.last).toBe(7)
  })

  it('does not believe that it reached the end when there was a hint meanwhile', () => {
    const tail = new Tail(new TailMemory())
    tail.hints += 1
    tail.reached(3, 0)
    expect(tail.last).toBeUndefined()
  })

  it('keeps a bounded number of events and bytes', () => {
    const tail = new Tail(new TailMemory())
    tail.push(0, rows(2_000))
    expect(tail.after(1_000)).toBeUndefined()
    expect(tail.after(1_999 - 500)?.length).toBe(501)
    tail.push(2_000, rows(20, 200_000))
    expect(tail.after(2_010)).toBeUndefined()
    expect(tail.after(2_019)?.length).toBe(1)
  })

  it('lets go of its texts when all tails together hold too much', () => {
    const memory = new TailMemory(10_000)
    const [old, young] = [new Tail(memory), new Tail(memory)]
    old.push(0, rows(4, 1_500))
    young.push(0, rows(4, 1_500))
    expect(old.after(2)).toBeUndefined()
    expect(old.after(4)).toEqual([])
    expect(young.after(2)?.length).toBe(2)
  })

  it('keeps no texts for followers who all stand still, and again for one who looks', () => {
    const tail = new Tail(new TailMemory())
    let seq = 0
    const write = (times: number) => {
      for (let n = 0; n < times; n++) tail.push(seq++, rows(1))
    }
    write(64)
    expect(tail.after(0)?.length).toBe(64)
    write(65)
    expect([tail.last, tail.after(seq - 1)]).toEqual([seq, undefined])
    write(2)
    expect(tail.after(seq - 2)?.map((event) => event.seq)).toEqual([seq - 1, seq])
  })

  it('wakes whoever waits with the next change, once', () => {
    const tail = new Tail(new TailMemory())
    const { version } = tail
    let woken = 0
    tail.waiting.add({ wake: () => (woken += 1) })
    tail.push(0, rows(1))
    tail.push(1, rows(1))
    expect([woken, tail.version]).toEqual([1, version + 2])
  })
})
