#!/usr/bin/env bash
# Installs the tools that are named, at the versions pinned here, where they are
# missing, and prints the path of each on a line of its own.
set -euo pipefail

cache="${XDG_CACHE_HOME:-$HOME/.cache}/opensaves-soak/tools"

# pin prints the package, the version and the build tags of a tool.
pin() {
  case "$1" in
    golangci-lint)      echo github.com/golangci/golangci-lint/v2/cmd/golangci-lint v2.15.0 ;;
    # Without these tags Prometheus asks for the modules of every cloud it can discover.
    prometheus|promtool) echo "github.com/prometheus/prometheus/cmd/$1" v0.316.0 remove_all_sd,enable_kubernetes_sd,enable_dns_sd ;;
    protoc-gen-go)      echo google.golang.org/protobuf/cmd/protoc-gen-go v1.36.12 ;;
    protoc-gen-go-grpc) echo google.golang.org/grpc/cmd/protoc-gen-go-grpc v1.6.2 ;;
    *) echo "installing $1: unknown tool" >&2; return 1 ;;
  esac
}

# provide builds beside the final place and renames, so that a build that was cut
# short or ran twice at once leaves no half a tool.
provide() {
  local name=$1 pinned package version tags
  pinned=$(pin "$name")
  read -r package version tags <<<"$pinned"
  local path="$cache/$name-$version/$name"
  if [[ ! -x $path ]]; then
    echo "installing $name $version" >&2
    mkdir -p "${path%/*}"
    building=$(mktemp -d "${path%/*}/build.XXXXXX")
    CGO_ENABLED=0 GOBIN=$building go install -tags="$tags" "$package@$version" >&2
    mv "$building/$name" "$path"
    rmdir "$building"
  fi
  echo "$path"
}

# cfn_lint is a program of Python's, and gets a place of its own.
cfn_lint() {
  local version=1.58.0
  local path="$cache/cfn-lint-$version"
  if [[ ! -x $path/bin/cfn-lint ]]; then
    echo "installing cfn-lint $version" >&2
    rm -rf "$path"
    python3 -m venv "$path" >&2
    "$path/bin/pip" install --quiet --disable-pip-version-check "cfn-lint==$version" >&2 || { rm -rf "$path"; return 1; }
  fi
  echo "$path/bin/cfn-lint"
}

building=
trap 'if [[ -d $building ]]; then rm -r "$building"; fi' EXIT
for name in "$@"; do
  if [[ $name == cfn-lint ]]; then
    cfn_lint
  else
    provide "$name"
  fi
done
