/** Frames of a stream as they arrive; what was cut off in the middle of one is no frame. */
export interface Frame {
  id?: string
  event?: string
  data?: string
}

export async function* framesOf(body: ReadableStream<Uint8Array>): AsyncGenerator<Frame, void, void> {
  let text = ''
  for await (const chunk of body.pipeThrough(
    new TextDecoderStream() as never,
  ) as unknown as AsyncIterable<string>) {
    text += chunk
    for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
      yield frameOf(text.slice(0, end))
      text = text.slice(end + 2)
    }
  }
}

function frameOf(text: string): Frame {
  const fields = text.split('\n').map((line) => {
    const colon = line.indexOf(': ')
    return [line.slice(0, colon), line.slice(colon + 2)]
  })
  return Object.fromEntries(fields)
}

/** The first frames that carry something, as many as asked for; then the stream is left. */
export async function take(body: ReadableStream<Uint8Array> | null, count: number): Promise<Frame[]> {
  const taken: Frame[] = []
  for await (const frame of framesOf(body as ReadableStream<Uint8Array>)) {
    if (frame.event === undefined) continue
    taken.push(frame)
    if (taken.length === count) break
  }
  return taken
}
