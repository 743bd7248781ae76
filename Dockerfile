# A session server on an embedded SQLite file in /data. docs/operating.md has the commands.
FROM node:24-slim
WORKDIR /app
COPY package.json package-lock.json .npmrc LICENSE ./
COPY packages ./packages
# Optional are pg, which stays, and the runtimes of the tests, which do not.
RUN npm ci --omit=dev --ignore-scripts && rm -rf node_modules/@deno node_modules/@oven
ENV NODE_ENV=production HOLDFAST_STORE=/data/holdfast.db
RUN mkdir /data && chown node:node /data
USER node
VOLUME /data
EXPOSE 4780
HEALTHCHECK --interval=10s CMD ["node", "-e", "fetch('http://127.0.0.1:4780/readyz').then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "--max-semi-space-size=8", "packages/cli/src/holdfast.js"]
CMD ["serve", "--host", "0.0.0.0", "--log", "info"]
