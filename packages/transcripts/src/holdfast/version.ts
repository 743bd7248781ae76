/** Version of the file's shape: a change that an older reader would misunderstand raises it. */
export const fileVersion = 1
