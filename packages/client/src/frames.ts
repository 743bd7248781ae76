/** Server-sent events out of bytes that may be cut anywhere. */
export interface Frame {
  id?: string
  event?: string
  data?: string
}

/** Whole frames, comments too; an unfinished one at the end is dropped. */
export async function* readFrames(
  body: ReadableStream<Uint8Array>,
  read: (reader: ReadableStreamDefaultReader<Uint8Array>) => ReturnType<typeof reader.read>,
): AsyncGenerator<Frame, void, void> {
  const reader = body.getReader()
  const utf8 = new TextDecoder()
  let text = ''
  try {
    for (;;) {
      const { value, done } = await read(reader)
      if (done) return
      text += utf8.decode(value, { stream: true })
      let start = 0
      for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n', start)) {
        yield frameOf(text.slice(start, end))
        start = end + 2
      }
      text = text.slice(start)
    }
  } finally {
    await reader.cancel()
  }
}

function frameOf(text: string): Frame {
  const frame: Frame = {}
  for (const line of text.split('\n')) {
    const colon = line.indexOf(': ')
    const name = line.slice(0, colon)
    if (name === 'id' || name === 'event' || name === 'data') frame[name] = line.slice(colon + 2)
  }
  return frame
}
