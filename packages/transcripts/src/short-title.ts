/** A title as a list has room for it. */

const titleLength = 80

export function shortened(text: string): string {
  const points = [...text]
  return points.length <= titleLength ? text : `${points.slice(0, titleLength - 1).join('')}…`
}
