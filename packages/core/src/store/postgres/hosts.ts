/** The servers that a URL names: `postgres://user@one:5432,other:5433/database`. One of them takes writes. */

/** One URL for each host, in their order. */
export function urlsOfHosts(url: string): string[] {
  const { before, hosts, after } = partsOf(url)
  return hosts.split(',').map((host) => `${before}${host}${after}`)
}

function partsOf(url: string): { before: string; hosts: string; after: string } {
  const [, before = '', hosts = '', after = ''] = /^(\w+:\/\/(?:[^/?]*@)?)([^/?]*)(.*)$/s.exec(url) ?? []
  return { before, hosts, after }
}
