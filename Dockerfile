# A static binary on a base without a shell. Both bases can be replaced: the
# first needs a shell and Go, the second at most CA certificates, for https.
ARG BUILD_IMAGE=golang:1.26
ARG RUNTIME_IMAGE=gcr.io/distroless/static:nonroot

FROM ${BUILD_IMAGE} AS build
WORKDIR /src
ARG GOPROXY
COPY go.mod go.sum ./
RUN go mod download
COPY . .
# Empty where the builder does not set them: the build image's own.
ARG TARGETOS
ARG TARGETARCH
ARG VERSION=dev
ARG REVISION=unknown
ARG BRANCH=unknown
ARG DATE=unknown
RUN version=github.com/prometheus/common/version && \
    CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH go build -trimpath -tags=timetzdata \
      -ldflags="-s -w -X $version.Version=$VERSION -X $version.Revision=$REVISION -X $version.Branch=$BRANCH -X $version.BuildDate=$DATE" \
      -o /opensaves-soak ./cmd/opensaves-soak

FROM ${RUNTIME_IMAGE}
COPY --from=build /opensaves-soak /usr/bin/opensaves-soak
COPY LICENSE /usr/share/doc/opensaves-soak/LICENSE
# A number, so that Kubernetes can see that it is not root.
USER 65532:65532
EXPOSE 9842
ENTRYPOINT ["/usr/bin/opensaves-soak"]
