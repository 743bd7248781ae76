/** What a format is to the rest of the package: how it is recognised, read and written. */
import type { AnySession } from '@holdfast/core'
import type { Destination } from './destination.ts'
import type { Head } from './head.ts'
import type { LossReport } from './loss-report.ts'
import type { Source } from './source.ts'

/** Adding a format: a folder with one of these, a row in `formats.ts`, its cases in `test/formats.ts`. */
export interface Format {
  readonly name: string
  /** What a file must hold to be of this format, for the message about a file of none. */
  readonly lookedFor: string
  detect(head: Head): boolean
  /** Files beside this one that are read with it, and are no sources of their own. */
  companions?(path: string): string[]
  /** The file that this one would be read with, whether it is there or not. */
  ownerOf?(path: string): string | undefined
  /** Of a file that has a name as this format gives, where children and what goes on from a session have files of their own. */
  lineageOf?(path: string): Promise<Lineage | undefined>
  /**
   * Puts what is in the source into sessions. What cannot be carried over is told to `into.report`; a part of the source
   * that cannot be read is told there too and never ends the reading. Again with a longer source: appends what is new.
   */
  read(source: Source, into: Destination): Promise<void>
  /** Undefined: this format is read only. */
  write?(session: ExportedSession, sink: Sink, report: LossReport): Promise<void>
}

/** Which session a file holds, and which ones have to be there before: its parent, what it goes on from. By names of the format. */
export interface Lineage {
  id: string
  after: readonly string[]
}

/** What a writer reads: a session of an open Holdfast, or of a server. */
export type ExportedSession = Pick<
  AnySession,
  'id' | 'view' | 'events' | 'eventTexts' | 'messages' | 'getAttachment'
>

/** Where an export goes. Resolves when more may be written. */
export interface Sink {
  write(text: string): Promise<void>
}
