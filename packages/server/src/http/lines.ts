/** A body as lines of text: no more of it is held than one line. */
import { HoldfastError, limitExceeded, limits } from '@holdfast/protocol'

export async function* readLines(request: Request): AsyncGenerator<string, void, void> {
  const utf8 = new TextDecoder('utf-8', { fatal: true })
  let rest = ''
  for await (const chunk of request.body ?? []) {
    rest += decode(utf8, chunk)
    const lines = rest.split('\n')
    rest = lines.pop() ?? ''
    yield* lines
    if (rest.length > limits.lineBytes) throw limitExceeded('lineBytes', rest.length, 'line')
  }
  rest += decode(utf8)
  if (rest !== '') yield rest
}

function decode(utf8: InstanceType<typeof TextDecoder>, chunk?: Uint8Array): string {
  try {
    return utf8.decode(chunk, { stream: chunk !== undefined })
  } catch (cause) {
    throw new HoldfastError('invalid_input', 'body: not UTF-8.', { cause })
  }
}
