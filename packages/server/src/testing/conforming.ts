/** Holds every answer that a test gets against what its route says of it: status, shape, and the codes it may fail with. */
import { type ErrorCode, problem } from '@holdfast/protocol'
import { codesOf } from '../openapi/codes.ts'
import type { Route } from '../route.ts'
import { routes } from '../routes/index.ts'

/** `refused` hears of every failure, and by which route. */
export async function conforming(
  request: Request,
  response: Response,
  refused: (route: Route, code: ErrorCode) => void = () => {},
): Promise<Response> {
  const route = routeOf(request)
  if (!route || response.headers.get('content-type')?.startsWith('text/event-stream')) return response
  const text = await response.clone().text()
  if (response.status >= 400) refused(route, documentedCode(route, text))
  else requireShape(route, response, text)
  return response
}

function routeOf({ method, url }: Request): Route | undefined {
  const { pathname } = new URL(url)
  return routes.find((route) => route.method === method && patternOf(route.path).test(pathname))
}

function patternOf(path: string): RegExp {
  return new RegExp(`^${path.replaceAll('.', '\\.').replaceAll(/\{\w+\}/g, '[^/]+')}$`)
}

function documentedCode(route: Route, text: string): ErrorCode {
  const { code } = problem.parse(JSON.parse(text))
  if (codesOf(route).includes(code)) return code
  throw new Error(`${route.method} ${route.path} does not say that it may be ${code}`)
}

function requireShape(route: Route, { status, headers }: Response, text: string): void {
  const isMinimal = headers.has('preference-applied')
  const isOfFile = route.answer === 'file' && [206, 304].includes(status)
  if (status !== route.status && !(isMinimal && status === 204) && !isOfFile)
    throw new Error(`${route.method} ${route.path} says ${route.status} and answered ${status}`)
  if (isMinimal || typeof route.answer === 'string') return
  route.answer.parse(JSON.parse(text))
}
