/** Files in what users and models say: their bytes become attachments of the session, their addresses stay addresses. */
import type { LanguageModelV4FilePart } from '@ai-sdk/provider'
import type { FileReference, NewFile } from '@holdfast/core'
import type { MessagePart } from '@holdfast/protocol'

export type Attach = (file: NewFile) => Promise<FileReference>

interface GivenFile {
  data: LanguageModelV4FilePart['data'] | Extract<LanguageModelV4FilePart['data'], { type: 'data' | 'url' }>
  mediaType: string
  filename?: string
}

export async function filePartOf(
  { data, mediaType, filename }: GivenFile,
  attach: Attach,
): Promise<MessagePart> {
  const name = filename === undefined ? {} : { name: filename }
  switch (data.type) {
    case 'data': {
      const bytes = typeof data.data === 'string' ? Buffer.from(data.data, 'base64') : data.data
      const reference = await attach({ bytes, mediaType, ...name })
      return { type: mediaType.startsWith('image/') ? 'image' : 'file', ...reference }
    }
    case 'text':
      return { type: 'text', text: data.text.toWellFormed() }
    case 'url':
      return { type: 'data', name: 'file', data: { url: String(data.url), mediaType, ...name } }
    case 'reference':
      return { type: 'data', name: 'file', data: { reference: { ...data.reference }, mediaType, ...name } }
  }
}
