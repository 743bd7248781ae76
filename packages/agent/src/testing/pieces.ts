/** A text as a stream gives it: pieces of so many code points. */
export function piecesOf(text: string, size: number): string[] {
  const points = [...text]
  const pieces: string[] = []
  for (let at = 0; at < points.length; at += size) pieces.push(points.slice(at, at + size).join(''))
  return pieces
}
