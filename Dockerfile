# Not run by the project's own tests, which have no container engine: test/repository.test.ts reads it.
FROM node:26-bookworm-slim AS build
WORKDIR /source
COPY . .
RUN npm ci --no-audit --no-fund \
 && npm ci --prefix packages/function-sdk --no-audit --no-fund \
 && node scripts/pack.ts /packed

FROM node:26-bookworm-slim
RUN apt-get update \
 && apt-get install --yes --no-install-recommends bubblewrap python3 python3-venv \
 && rm -rf /var/lib/apt/lists/*
COPY --from=build /packed /packed
RUN npm install --global --no-audit --no-fund /packed/*.tgz \
 && rm -rf /packed \
 && install --directory --owner=node --group=node /data
VOLUME /data
EXPOSE 4566
USER node
HEALTHCHECK --interval=10s --timeout=3s CMD ["node", "-e", "fetch('http://127.0.0.1:4566/_localstack/health').then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["lambent"]
CMD ["start", "--host", "0.0.0.0", "--data", "/data"]
