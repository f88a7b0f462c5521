# The image is the static binary and an empty /tmp, nothing else: docker build -t ghcr.io/sidetail/sidetail:0.1.0 .

FROM rust:1-slim-bookworm AS build
WORKDIR /src
COPY . .
RUN cargo install --locked --path . --root /out && mkdir /rootfs && mv /out/bin/sidetail /rootfs/ && mkdir -m 1777 /rootfs/tmp

FROM scratch
LABEL org.opencontainers.image.title="sidetail" \
      org.opencontainers.image.description="Streams the log files of a shared volume to stdout and stderr, losing nothing" \
      org.opencontainers.image.source="https://github.com/sidetail/sidetail" \
      org.opencontainers.image.documentation="https://github.com/sidetail/sidetail#readme" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="0.1.0"
# /tmp is for the demo; everything else runs with a read-only root.
COPY --from=build /rootfs/ /
# A number, because the kubelet can check runAsNonRoot only against a number.
USER 65532:65532
ENTRYPOINT ["/sidetail"]
