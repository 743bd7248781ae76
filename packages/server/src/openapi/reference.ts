/** The routes as a page for people: one document, without a script or anything from elsewhere, so that it works offline. */
import { createHash } from 'node:crypto'
import { errorCatalogue } from '@holdfast/protocol'
import { z } from 'zod'
import type { Route } from '../route.ts'
import { codesOf } from './codes.ts'

const style = `body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1c2024;background:#fff}
code,pre{font:13px/1.5 ui-monospace,monospace}h2{margin:2.5rem 0 .5rem;border-bottom:1px solid #ddd}
details{border:1px solid #ddd;border-radius:6px;margin:.4rem 0;padding:.4rem .8rem}summary{cursor:pointer}
summary b{display:inline-block;min-width:4.5rem}pre{overflow:auto;background:#f6f7f8;padding:.6rem;border-radius:6px}
td{vertical-align:top;padding:.1rem 1rem .1rem 0}.faint{color:#667}
@media(prefers-color-scheme:dark){body{background:#16181b;color:#e6e8ea}pre{background:#22262a}details,h2{border-color:#3a3f45}}`

/** What the page's one inline style is let in by. */
export const referencePolicy = `default-src 'none'; style-src 'sha256-${createHash('sha256').update(style).digest('base64')}'; frame-ancestors 'none'`

export function referencePage(routes: readonly Route[]): string {
  const groups = Map.groupBy(routes, groupOf)
  const sections = [...groups].map(
    ([name, some]) => `<h2 id="${name}">${name}</h2>\n${some.map(operation).join('\n')}`,
  )
  const links = [...groups.keys()].map((name) => `<a href="#${name}">${name}</a>`).join(' · ')
  return `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Holdfast API</title><style>${style}</style>
<h1>Holdfast API</h1><p>Made from the routes of this server, as <a href="openapi.json">openapi.json</a> is.</p><p>${links}</p>
${sections.join('\n')}
<h2 id="errors">errors</h2><table>${Object.entries(errorCatalogue).map(errorRow).join('')}</table></html>`
}

function groupOf({ path }: Route): string {
  const [, , first = '', , second] = path.split('/')
  return second === undefined || second === ''
    ? first || 'service'
    : `${first}-${second.replaceAll(/[{}]/g, '')}`
}

function operation(route: Route): string {
  const { method, path, summary, scope, reach, query, body, answer } = route
  const parameters = Object.entries(query).map(
    ([name, { about }]) => `<tr><td><code>${name}</code><td>${escaped(about)}`,
  )
  const who = reach === 'public' ? 'everyone' : `scope <code>${scope}</code>, ${reach}`
  return `<details><summary><b>${method}</b> <code>${path}</code> ${escaped(summary)}</summary>
<p class="faint">${who}</p>${parameters.length > 0 ? `<table>${parameters.join('')}</table>` : ''}
${typeof body === 'object' ? shape('body', body.schema, 'input') : ''}${typeof answer === 'object' ? shape(String(route.status), answer, 'output') : ''}
<p class="faint">${codesOf(route)
    .map((code) => `<a href="#${code}">${code}</a>`)
    .join(' ')}</p></details>`
}

function shape(title: string, schema: z.ZodType, io: 'input' | 'output'): string {
  const { $schema: _, ...json } = z.toJSONSchema(schema, { target: 'draft-2020-12', io })
  return `<details><summary>${title}</summary><pre>${escaped(JSON.stringify(json, null, 1))}</pre></details>`
}

function errorRow([code, { status, retry, meaning }]: [
  string,
  { status: number; retry: string; meaning: string },
]): string {
  return `<tr id="${code}"><td><code>${code}</code><td>${status}<td>${retry}<td>${escaped(meaning)}`
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
}
