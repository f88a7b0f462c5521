# The image is the static binary and nothing else: docker build -t ghcr.io/sidetail/sidetail:0.1.0 .

FROM rust:1-slim-bookworm AS build
WORKDIR /src
COPY . .
RUN cargo install --locked --path . --root /out && mv /out/bin/sidetail /sidetail

FROM scratch
COPY --from=build /sidetail /sidetail
# A number, because the kubelet can check runAsNonRoot only against a number.
USER 65532:65532
ENTRYPOINT ["/sidetail"]
