import { expect, test } from 'vitest'
import { SecretFinder } from './secrets.ts'

const letters = 'Ab3dEf6hIj9lMn2pQr5tUv8xYz1bCd4fGh7jKlMn'

/** One of each kind. */
const secrets: Readonly<Record<string, string>> = {
  'anthropic key': `sk-ant-${letters}`,
  'openai key': `sk-proj-${letters}`,
  'github token': `ghp_${letters}`,
  'gitlab token': `glpat-${letters}`,
  'npm token': `npm_${letters.slice(0, 36)}`,
  'aws access key': 'ASIAABCDEFGHIJKLMNOP',
  'google key': `AIza${letters.slice(0, 35)}`,
  'slack token': `xoxb-${letters}`,
  'stripe key': `rk_live_${letters}`,
  'json web token': `eyJ${letters}.eyJ${letters}.${letters}`,
  'private key': '-----BEGIN RSA PRIVATE KEY-----\\nMIIB\\n-----END RSA PRIVATE KEY-----',
  'password in an address': 'postgres://me:hunter2@host/db',
  password: 'Passwd = \\"correct-horse\\"',
}

const others = [
  `sk-${letters}`,
  `sk-svcacct-${letters}`,
  `sk_test_${letters}`,
  `github_pat_${letters}`,
  `gho_${letters}`,
  'AKIAABCDEFGHIJKLMNOP',
  'PASSWORD: correct-horse',
  'PassWord: correct-horse',
]

test.each(Object.entries(secrets))('a secret of kind %s is found where it stands', (kind, secret) => {
  for (const around of [secret, `before ${secret} after`, `"${secret}"`]) {
    const finder = new SecretFinder({ redact: true })
    const left = finder.clean(around)
    expect(Object.fromEntries(finder.counts)).toEqual({ [kind]: 1 })
    expect(left).toContain(`[redacted ${kind}]`)
    expect(left.length - around.length).toBeLessThan(40)
  }
})

test.each(others)('%s is a secret too', (secret) => {
  const finder = new SecretFinder({ redact: false })
  expect(finder.clean(`x ${secret} y`)).toBe(`x ${secret} y`)
  expect([...finder.counts.values()]).toEqual([1])
})

test('what only looks a little like one is left', () => {
  const finder = new SecretFinder({ redact: true })
  const text = 'task-list eyJumble ghx_1 password: $SECRET https://host:443/a@b npm_config glpat-short AKIA1'
  expect(finder.clean(text)).toBe(text)
  expect(finder.counts.size).toBe(0)
})
