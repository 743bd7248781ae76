/** Roles for tests: one that owns the schema, one that only reads and writes its rows, none above the wall. */
import { randomUUID } from 'node:crypto'
import pg from 'pg'
import { freshSchema } from './server.ts'

export class TemporaryRoles {
  readonly owner = `owner_${randomUUID().replaceAll('-', '')}`
  readonly app = `app_${randomUUID().replaceAll('-', '')}`
  readonly #url = freshSchema().url

  static async make(): Promise<TemporaryRoles> {
    const roles = new TemporaryRoles()
    await roles.#run(async (client) => {
      const database = pg.escapeIdentifier(client.database ?? '')
      for (const role of [roles.owner, roles.app])
        await client.query(`CREATE ROLE ${role} LOGIN PASSWORD '${role}'`)
      await client.query(`GRANT CREATE ON DATABASE ${database} TO ${roles.owner}`)
    })
    return roles
  }

  urlOf(role: string): string {
    const url = new URL(this.#url)
    url.username = role
    url.password = role
    return url.href
  }

  /** With everything that they own. */
  async remove(): Promise<void> {
    await this.#run(async (client) => {
      await client.query(`DROP OWNED BY ${this.owner}, ${this.app} CASCADE`)
      await client.query(`DROP ROLE ${this.owner}, ${this.app}`)
    })
  }

  async #run(work: (client: pg.Client) => Promise<void>): Promise<void> {
    const client = new pg.Client({ connectionString: this.#url })
    await client.connect()
    try {
      await work(client)
    } finally {
      await client.end()
    }
  }
}
