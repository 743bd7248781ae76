/** Rises with every change of a wire shape; `wire-history.json` says what changed. */
export const WIRE_VERSION = 1
