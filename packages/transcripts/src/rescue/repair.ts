export interface TranscriptRepair {
  lines: number
}
