/** Takes secrets out of a line of the log, wherever in it they stand: what an error quotes is not known beforehand. */
const secrets: readonly (readonly [RegExp, string])[] = [
  [/\bhf_[\w-]{20,}/g, 'hf_[redacted]'],
  [/\bhfs_[\w-]{8,}(\.[\w-]+)?/g, 'hfs_[redacted]'],
  [/\b([spr]k-)[\w-]{16,}/g, '$1[redacted]'],
  [/\bAIza[\w-]{30,}/g, 'AIza[redacted]'],
  [/\b(Bearer|Basic)\s+[\w.~+/=-]{8,}/gi, '$1 [redacted]'],
  [/(\b[a-z][a-z\d+.-]*:\/\/[^\s:@/"\\]*):[^\s@/"\\]+@/gi, '$1:[redacted]@'],
  [
    /(authorization|cookie|password|pepper|secret|token|api[-_]?key)((?:\\*["'])?\s*[:=]\s*(?:\\*["'])?)[^\s"'\\,;}]+/gi,
    '$1$2[redacted]',
  ],
]

export function redacted(line: string): string {
  return secrets.reduce((text, [pattern, instead]) => text.replaceAll(pattern, instead), line)
}
