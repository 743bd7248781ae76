import { errorCatalogue } from '@holdfast/protocol'
import { Validator } from '@seriousme/openapi-schema-validator'
import { expect, it } from 'vitest'
import { routes } from '../routes/index.ts'
import { codesOf } from './codes.ts'
import { openapiDocument } from './document.ts'

// biome-ignore lint/suspicious/noExplicitAny: the document is looked into from outside
const document = openapiDocument(routes) as any

it('the document is valid by the schema of OpenAPI 3.1, and one that is not is told', async () => {
  const validator = new Validator()
  expect((await validator.validate(structuredClone(document))).errors).toBeUndefined()
  const { paths } = structuredClone(document)
  paths['/v1/sessions'].post.responses = 'none'
  expect((await validator.validate({ ...document, paths })).valid).toBe(false)
})

it('every route is in the document, under an id of its own', () => {
  const ids = routes.map(({ method, path }) => document.paths[path][method.toLowerCase()].operationId)
  expect(new Set(ids).size).toBe(routes.length)
})

it('every reference leads to a shape, and no shape is left in a place of its own', () => {
  const text = JSON.stringify(document)
  const named = Object.keys(document.components.schemas)
  const used = [...text.matchAll(/"\$ref":"([^"]+)"/g)].map(([, target]) => target)
  expect(used.length).toBeGreaterThan(routes.length)
  for (const target of used) expect(named.map((name) => `#/components/schemas/${name}`)).toContain(target)
  expect(text).not.toContain('$defs')
})

it('every operation says what it needs, what it answers and how it may fail', () => {
  for (const route of routes) {
    const { method, path, reach, scope, status } = route
    const operation = document.paths[path][method.toLowerCase()]
    expect(operation.security, path).toEqual(reach === 'public' ? [] : [{ key: [scope] }])
    expect(operation.responses[status].description).not.toBe('')
    for (const code of codesOf(route)) {
      const failure = operation.responses[errorCatalogue[code].status]
      expect(failure.description, path).toContain(errorCatalogue[code].meaning)
    }
    const named = operation.parameters.filter((one: { in: string }) => one.in === 'path')
    expect(named.map(({ name }: { name: string }) => `{${name}}`)).toEqual(path.match(/\{\w+\}/g) ?? [])
  }
})

it('what is asked of a caller is described as it may be given', () => {
  const make = document.paths['/v1/sessions'].post.requestBody.content['application/json'].schema
  expect(make.required).toEqual(['agentId'])
  const list = document.paths['/v1/sessions'].get.parameters
  expect(list.find(({ name }: { name: string }) => name === 'limit').schema).toMatchObject({
    type: 'integer',
    minimum: 1,
  })
  expect(list.find(({ name }: { name: string }) => name === 'status')).toMatchObject({
    explode: false,
    schema: { type: 'array' },
  })
})
