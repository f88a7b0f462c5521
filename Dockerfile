# The image is the static binary and nothing else: docker build -t ghcr.io/sidetail/sidetail:0.1.0 .

FROM rust:1-slim-bookworm AS build
WORKDIR /src
COPY . .
RUN RUSTFLAGS="-C target-feature=+crt-static -C link-arg=-Wl,-z,pack-relative-relocs" cargo build --release --locked --target "$(rustc --print host-tuple)" \
    && mv target/*/release/sidetail /sidetail

FROM scratch
COPY --from=build /sidetail /sidetail
# A number, because the kubelet can check runAsNonRoot only against a number.
USER 65532:65532
ENTRYPOINT ["/sidetail"]
