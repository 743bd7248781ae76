/** As `npm start` and the image start a server: what is young takes less memory, for some appends less a second. */
export const serverFlags = ['--max-semi-space-size=8']
