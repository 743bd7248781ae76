/** Overwrites everything reachable from a value. What is frozen stays: it cannot be changed from outside either. */
export function vandalise(value: unknown): void {
  if (value instanceof Uint8Array) value.fill(0)
  else if (value instanceof Map) value.clear()
  else if (Array.isArray(value)) vandaliseArray(value)
  else if (typeof value === 'object' && value !== null) vandaliseObject(value)
}

function vandaliseArray(array: unknown[]): void {
  for (const item of array) vandalise(item)
  if (!Object.isFrozen(array)) array.length = 0
}

function vandaliseObject(object: object): void {
  for (const [name, inner] of Object.entries(object)) {
    vandalise(inner)
    Reflect.set(object, name, typeof inner === 'number' ? -1 : 'vandalised')
  }
}
