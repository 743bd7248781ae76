/** Totals of counters that take turns, begin anew, or were not told each time. */
import { expect, test } from 'vitest'
import { asked, event, imported, meta, spoken } from './testing/rollout.ts'

const usage = (input_tokens: number, cached_input_tokens = 0) => {
  return { input_tokens, cached_input_tokens, output_tokens: input_tokens / 10 }
}

/** `last` undefined: it is not told. */
function counted(total: number, last?: number, limit_id?: string) {
  const info = {
    total_token_usage: usage(total),
    ...(last !== undefined && { last_token_usage: usage(last) }),
  }
  return event(5, 'token_count', { info, rate_limits: limit_id === undefined ? null : { limit_id } })
}

const cases: [string, object[], number][] = [
  ['one counter', [counted(100, 100), counted(250, 150)], 250],
  [
    'one that is told again',
    [counted(100, 100), counted(100, 100), counted(250, 150), counted(250, 150)],
    250,
  ],
  [
    'one that is told again under another limit',
    [counted(100, 100, 'a'), counted(100, 100, 'b'), counted(250, 150, 'b')],
    250,
  ],
  ['one without last calls', [counted(100), counted(250), counted(250)], 250],
  ['one of which a count was lost', [counted(100, 100), counted(450, 150)], 450],
  ['one of which the first count was lost', [counted(450, 150), counted(500, 50)], 500],
  [
    'one of two limits, of which a count was lost',
    [counted(100, 100, 'a'), counted(100, 100, 'b'), counted(450, 150, 'a')],
    450,
  ],
  [
    'two that take turns',
    [counted(1000, 1000), counted(400, 50), counted(1100, 100), counted(460, 60), counted(1210, 110)],
    1320,
  ],
  [
    'two that take turns, each told again',
    [
      counted(1000, 1000),
      counted(400, 50),
      counted(1000, 1000),
      counted(1100, 100),
      counted(400, 50),
      counted(460, 60),
    ],
    1210,
  ],
  [
    'two of which the second one is told first when it has more',
    [counted(300, 300, 'a'), counted(9000, 50, 'b'), counted(400, 100, 'a'), counted(9060, 60, 'b')],
    510,
  ],
  [
    'two of which a count of the first one was lost',
    [counted(460, 460), counted(300, 50), counted(360, 60), counted(800, 100)],
    460 + 50 + 60 + 440,
  ],
  ['one that began anew', [counted(1000, 1000), counted(300, 300), counted(700, 400)], 1700],
  ['one that began anew with more', [counted(1000, 1000), counted(1080, 1080), counted(1100, 20)], 2100],
  ['one that began anew, of which a count was lost', [counted(1000, 1000), counted(1200, 300)], 1300],
  ['one that began anew without last calls', [counted(1000), counted(300), counted(700)], 1700],
  [
    'one that fell to nothing when there was no room',
    [counted(1000, 1000), counted(0, 0), counted(50, 50), counted(90, 40)],
    1090,
  ],
  [
    'one that began anew and came to the same figures',
    [counted(5000, 5000), counted(9000, 4000), counted(5000, 5000), counted(9000, 4000), counted(9000, 4000)],
    18_000,
  ],
  [
    'six, of which each is told again',
    [6, 5, 4, 3, 2, 1, 6, 5, 4, 3, 2, 1].map((nth) => counted(nth * 1_000, nth * 10)),
    6_000 + 50 + 40 + 30 + 20 + 10,
  ],
]

test.each(cases)(
  '%s: each call is paid for once, wherever the file was cut',
  async (_what, counts, spent) => {
    const lines = [
      meta(),
      ...asked(1, 'go'),
      ...counts.flatMap((count, nth) => [spoken(5, 'assistant', `${nth}`), count]),
    ]
    for (let cut = 1; cut <= lines.length; cut++) {
      const { session } = await imported(lines, [cut])
      expect((await session.view()).counters.promptTokens, `cut at ${cut}`).toBe(spent)
    }
  },
)

test('of more counters than are remembered, what the last call took is paid for', async () => {
  const counts = Array.from({ length: 20 }, (_, nth) => counted(10_000 - nth * 100, 10))
  const { session } = await imported([meta(), ...asked(1, 'go'), counted(10, 10), ...counts])
  expect((await session.view()).counters.promptTokens).toBe(10 + 9_990 + 19 * 10)
})
