import type { Page } from '@holdfast/protocol'

/** Every item of a list, page after page, as they are asked for. */
export async function* everyItem<T>(
  page: (after: string | undefined) => Promise<Page<T>>,
): AsyncGenerator<T, void, void> {
  let after: string | undefined
  do {
    const { data, next } = await page(after)
    yield* data
    after = next ?? undefined
  } while (after !== undefined)
}
