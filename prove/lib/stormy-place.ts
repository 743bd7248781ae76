/** A Postgres of its own: seen directly, and through a network that holds up, cuts and half-closes connections. */
import { type Postgres, startPostgres } from '../../tools/postgres/start.ts'
import { Link } from './link.ts'
import type { Random } from './random.ts'
import { storm } from './weather.ts'

export class StormyPlace {
  readonly #server: Postgres
  readonly #link: Link

  private constructor(server: Postgres, link: Link) {
    this.#server = server
    this.#link = link
  }

  /** A crash of the server is not its matter, so commits are not synced. */
  static async open(random: Random): Promise<StormyPlace> {
    const server = await startPostgres({ durable: false })
    return new StormyPlace(server, await Link.open(server.port, storm(random)))
  }

  get near(): string {
    return this.#server.url
  }

  get far(): string {
    return this.#link.urlOf(this.near)
  }

  async close(): Promise<void> {
    await this.#link.close()
    await this.#server.remove()
  }
}
