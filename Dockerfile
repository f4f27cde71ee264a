# Built from a clean folder by npm's packages alone; what runs is one file, without a shell's help, as nobody in particular.
FROM node:24-bookworm-slim AS build
WORKDIR /build
COPY package.json bun.lock tsconfig.json ./
RUN npx -y bun@1.4.5 install --frozen-lockfile --production
COPY src ./src
COPY scripts ./scripts
RUN npx -y bun@1.4.5 scripts/build.ts
RUN mkdir empty

FROM debian:bookworm-slim
COPY --from=build /build/dist/salver /usr/local/bin/salver
# A new volume takes the owner of what lies below it.
COPY --from=build --chown=10001:10001 /build/empty /data
USER 10001:10001
ENV SALVER_HOST=0.0.0.0 SALVER_PORT=6566 SALVER_DATA=/data
VOLUME /data
EXPOSE 6566
HEALTHCHECK --interval=5s --timeout=5s --start-period=10m CMD ["/usr/local/bin/salver", "health"]
ENTRYPOINT ["/usr/local/bin/salver"]
CMD ["serve"]
