/** A primary and its standbys, each behind a wire that is a little slow; the primary can die and one of them take its place. */
import { withClient } from '../../tools/postgres/client.ts'
import { type Postgres, startPostgres, startStandby, upstreamAt } from '../../tools/postgres/start.ts'
import { Link } from './link.ts'
import type { Random } from './random.ts'

interface Standby {
  server: Postgres
  wire: Link
}

export class Cluster {
  #primary: Postgres
  #standbys: Standby[] = []
  readonly #servers: Postgres[] = []
  readonly #random: Random

  private constructor(primary: Postgres, random: Random) {
    this.#primary = primary
    this.#servers.push(primary)
    this.#random = random
  }

  /** `names`: `synchronous_standby_names` of whichever server is the primary. */
  static async start(standbys: number, names: string, random: Random): Promise<Cluster> {
    const cluster = new Cluster(await startPostgres(), random)
    await waitFor(cluster.#primary, names)
    await Promise.all(Array.from({ length: standbys }, (_, n) => cluster.#add(n)))
    return cluster
  }

  async #add(n: number): Promise<void> {
    const wire = await this.#wireTo(this.#primary, n)
    const server = await startStandby(this.#primary, { port: wire.port })
    this.#standbys.push({ server, wire })
    this.#servers.push(server)
  }

  /** Each is longer than the one before. */
  #wireTo(upstream: Postgres, n: number): Promise<Link> {
    const delayMs = 100 * n + 5 + this.#random.below(10)
    return Link.open(upstream.port, () => ({ delayMs }))
  }

  get primary(): Postgres {
    return this.#primary
  }

  /** Of all its servers, dead or alive. */
  urlOf(role: string): string {
    const hosts = this.#servers.map(({ port }) => `127.0.0.1:${port}`)
    return `postgres://${role}@${hosts.join(',')}/postgres`
  }

  /** The machine of the primary is gone, with all that it had sent and that had not arrived. */
  async kill(): Promise<void> {
    const dead = this.#primary.kill()
    for (const { wire } of this.#standbys) wire.cut()
    await dead
    await Promise.all(this.#standbys.map(({ wire }) => wire.close()))
  }

  /**
   * The standby that has received most takes its place, as an operator would have it, and the others follow that one.
   * One that has received least goes on alone: what is ahead of it cannot follow it.
   */
  async promote(pick: 'most' | 'least' = 'most'): Promise<void> {
    const [chosen, ...rest] = await this.#byReceived(pick)
    if (!chosen) throw new Error('there is no standby to promote')
    if (pick === 'least') await waitFor(chosen.server, '')
    await ask(chosen.server, 'SELECT pg_promote()')
    this.#primary = chosen.server
    this.#standbys = pick === 'least' ? [] : await Promise.all(rest.map((one, n) => this.#follow(one, n)))
  }

  async #follow({ server }: Standby, n: number): Promise<Standby> {
    const wire = await this.#wireTo(this.#primary, n)
    await configure(server, 'primary_conninfo', upstreamAt(wire.port))
    return { server, wire }
  }

  async #byReceived(pick: 'most' | 'least'): Promise<Standby[]> {
    const places = await Promise.all(
      this.#standbys.map(async (standby) => {
        const received = "SELECT pg_last_wal_receive_lsn() - '0/0' AS bytes"
        return { standby, bytes: BigInt((await ask(standby.server, received))?.bytes ?? 0) }
      }),
    )
    const order = pick === 'most' ? 1 : -1
    const sorted = places.toSorted((a, b) => (a.bytes > b.bytes ? -order : order))
    return sorted.map(({ standby }) => standby)
  }

  async remove(): Promise<void> {
    await Promise.all(this.#servers.map((server) => server.remove()))
    await Promise.all(this.#standbys.map(({ wire }) => wire.close()))
  }
}

/** From now on each commit of the server, if it is a primary, waits for these. */
function waitFor(server: Postgres, names: string): Promise<void> {
  return configure(server, 'synchronous_standby_names', names)
}

async function configure(server: Postgres, name: string, value: string): Promise<void> {
  await ask(server, `ALTER SYSTEM SET ${name} = '${value}'`)
  await ask(server, 'SELECT pg_reload_conf()')
}

function ask({ url }: Postgres, sql: string): Promise<Record<string, string> | undefined> {
  return withClient(url, async (client) => (await client.query<Record<string, string>>(sql)).rows[0])
}
