# syntax=docker/dockerfile:1
FROM node:20-bookworm-slim AS build
WORKDIR /src
COPY . .
RUN npm ci --include=dev --no-audit --no-fund \
 && npx turbo run build --filter=@countersign/broker --filter=@countersign/pwa \
 && npm run sbom

FROM node:20-bookworm-slim
ENV NODE_ENV=production HOST=0.0.0.0
WORKDIR /app
COPY --from=build /src/apps/broker/dist apps/broker/dist
COPY --from=build /src/apps/broker/drizzle apps/broker/drizzle
COPY --from=build /src/apps/pwa/dist apps/pwa/dist
COPY --from=build /src/sbom/broker.cdx.json sbom.cdx.json
# The image's own account without rights; nothing below /app is written.
USER node
EXPOSE 8787
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s \
  CMD ["node", "-e", "fetch('http://127.0.0.1:8787/readyz').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "apps/broker/dist/main.js"]
