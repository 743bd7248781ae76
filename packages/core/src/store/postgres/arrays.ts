/**
 * Arrays as Postgres reads them in binary. As text every quote of every JSON body would have to be escaped here and
 * read back there, which costs more than the rest of the statement.
 */
const oids = { bytea: 17, int8: 20, int4: 23, text: 25 } as const

const headerBytes = 20
const noValue = -1

export function textArray(values: readonly (string | null | undefined)[]): Buffer {
  let bytes = headerBytes
  for (const value of values) bytes += 4 + (value == null ? 0 : Buffer.byteLength(value))
  const out = Buffer.allocUnsafe(bytes)
  let at = writeHeader(out, oids.text, values.length)
  for (const value of values) {
    if (value == null) {
      at = out.writeInt32BE(noValue, at)
    } else {
      const length = out.write(value, at + 4)
      out.writeInt32BE(length, at)
      at += 4 + length
    }
  }
  return out
}

export function bytesArray(values: readonly (Uint8Array | null)[]): Buffer {
  let bytes = headerBytes
  for (const value of values) bytes += 4 + (value?.length ?? 0)
  const out = Buffer.allocUnsafe(bytes)
  let at = writeHeader(out, oids.bytea, values.length)
  for (const value of values) {
    at = out.writeInt32BE(value ? value.length : noValue, at)
    if (!value) continue
    out.set(value, at)
    at += value.length
  }
  return out
}

export function int4Array(values: readonly (number | null | undefined)[]): Buffer {
  return numberArray(values, oids.int4, 4, (out, value, at) => out.writeInt32BE(value, at))
}

/** For safe integers. */
export function int8Array(values: readonly (number | null | undefined)[]): Buffer {
  return numberArray(values, oids.int8, 8, (out, value, at) => {
    out.writeInt32BE(Math.floor(value / 2 ** 32), at)
    return out.writeUInt32BE(value >>> 0, at + 4)
  })
}

function numberArray(
  values: readonly (number | null | undefined)[],
  oid: number,
  width: number,
  write: (out: Buffer, value: number, at: number) => number,
): Buffer {
  const out = Buffer.allocUnsafe(headerBytes + values.length * (4 + width))
  let at = writeHeader(out, oid, values.length)
  for (const value of values) {
    at = out.writeInt32BE(value == null ? noValue : width, at)
    if (value != null) at = write(out, value, at)
  }
  return out.subarray(0, at)
}

/** Dimensions, whether there may be nulls, type of the elements, length, number of the first. */
function writeHeader(out: Buffer, oid: number, length: number): number {
  out.writeInt32BE(1, 0)
  out.writeInt32BE(1, 4)
  out.writeInt32BE(oid, 8)
  out.writeInt32BE(length, 12)
  return out.writeInt32BE(1, 16)
}
