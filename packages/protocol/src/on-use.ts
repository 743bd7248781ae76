/**
 * Schemas that are built when they are first used. To build all of them takes longer than everything else of loading
 * this package, and a process that resumes a session uses a few.
 */
import { z } from 'zod'

export function objectOnUse<Shape extends z.core.$ZodLooseShape>(
  shape: () => Shape,
): z.ZodObject<Shape, z.core.$strict> {
  return onUse(() => z.strictObject(shape()))
}

/** Reading anything of what it gives builds the schema, in place: zod knows schemas by identity. */
export function onUse<Schema extends z.ZodType>(build: () => Schema): Schema {
  const schema = {} as Schema
  const become = (): Schema => {
    const built = build()
    Object.setPrototypeOf(schema, Object.getPrototypeOf(built))
    // As zod's own `clone` does it, but on an object that is there.
    built._zod.constr.call(schema, built._zod.def)
    schema._zod.parent = built
    return schema
  }
  const unbuilt: ProxyHandler<object> = {
    get: (_, member) => Reflect.get(become(), member),
    has: (_, member) => member in become(),
  }
  return Object.setPrototypeOf(schema, new Proxy({}, unbuilt))
}
