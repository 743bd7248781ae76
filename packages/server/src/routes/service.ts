/** What the server says of itself. */
import { HoldfastError } from '@holdfast/protocol'
import { z } from 'zod'
import { referencePolicy } from '../openapi/reference.ts'
import { route } from '../route.ts'

const utf8 = new TextEncoder()

export const serviceRoutes = [
  route({
    method: 'GET',
    path: '/v1/openapi.json',
    summary: 'This document',
    scope: 'read',
    reach: 'public',
    answer: z.looseObject({ openapi: z.string() }),
    handle: ({ service }) => ({ status: 200, text: service.document() }),
  }),
  route({
    method: 'GET',
    path: '/v1/reference',
    summary: 'The API as a page for people, which needs nothing from elsewhere',
    scope: 'read',
    reach: 'public',
    answer: 'html',
    handle: ({ service }) => ({
      status: 200,
      bytes: utf8.encode(service.reference()),
      headers: { 'content-type': 'text/html; charset=utf-8', 'content-security-policy': referencePolicy },
    }),
  }),
  route({
    method: 'GET',
    path: '/metrics',
    summary: "Figures of this server in Prometheus' text format",
    scope: 'admin',
    reach: 'operator',
    answer: 'text',
    handle: ({ service }) => ({
      status: 200,
      bytes: utf8.encode(service.metrics()),
      headers: { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' },
    }),
  }),
  route({
    method: 'GET',
    path: '/healthz',
    summary: 'The process answers',
    scope: 'read',
    reach: 'public',
    answer: z.strictObject({ status: z.literal('ok') }),
    handle: () => ({ status: 200, json: { status: 'ok' } }),
  }),
  route({
    method: 'GET',
    path: '/readyz',
    summary: 'The store answers, and the server is not stopping',
    scope: 'read',
    reach: 'public',
    answer: z.strictObject({ status: z.literal('ready'), engine: z.string(), durable: z.boolean() }),
    codes: ['server_draining', 'store_busy', 'store_unavailable', 'store_corrupt', 'server_failed'],
    handle: async ({ service: { holdfast, stopping } }) => {
      if (stopping.aborted) throw new HoldfastError('server_draining', 'the server is stopping.')
      await holdfast.sessions.list({}, { limit: 1 })
      const { engine, durable } = holdfast.info()
      return { status: 200, json: { status: 'ready', engine, durable } }
    },
  }),
]
