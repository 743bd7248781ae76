import { expect, it } from 'vitest'
import { eachStore } from '../testing/each-store.ts'
import { gather } from '../testing/gather.ts'
import { writeRandomSessions } from '../testing/random-sessions.ts'

const steps = Number(process.env.HOLDFAST_DOCTOR_STEPS ?? 250)
const seed = Number(process.env.HOLDFAST_SEED ?? Math.floor(Math.random() * 2 ** 31))

eachStore('a store that nothing harmed', (place) => {
  it(`has nothing wrong with it, whatever was written (HOLDFAST_SEED=${seed})`, async () => {
    const store = await place.openStore()
    const { holdfast, sessionIds } = await writeRandomSessions(store, place.clock, seed, steps)
    expect(sessionIds.length).toBeGreaterThan(2)
    const isExpected = ({ code }: { code: string }) => code === 'run_lost'
    const found = await gather(holdfast.doctor({ everyTenant: true }))
    expect(found.filter((finding) => !isExpected(finding))).toEqual([])
    await holdfast.search('piece')
    await store.scrub()
    expect((await gather(holdfast.doctor({ everyTenant: true }))).every(isExpected)).toBe(true)
  })
})
