import { expect, it } from 'vitest'
import { urlsOfHosts } from './hosts.ts'

it.each([
  ['postgres://u@one:5432/db', ['postgres://u@one:5432/db']],
  [
    'postgres://u:p,w@one,other:5433/db?sslmode=require',
    ['postgres://u:p,w@one/db?sslmode=require', 'postgres://u:p,w@other:5433/db?sslmode=require'],
  ],
  ['postgresql://[::1]:1,two:2/a,b', ['postgresql://[::1]:1/a,b', 'postgresql://two:2/a,b']],
  ['postgres:///db', ['postgres:///db']],
])('%s names its hosts', (url, urls) => {
  expect(urlsOfHosts(url)).toEqual(urls)
})
