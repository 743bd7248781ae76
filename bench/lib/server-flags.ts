/** As `npm start` and the image start a server: what is young takes less memory, and appends no longer. */
export const serverFlags = ['--max-semi-space-size=16']
