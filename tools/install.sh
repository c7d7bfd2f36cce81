#!/usr/bin/env bash
# Installs the tools that are named, at the versions pinned here, where they are
# missing, and prints the path of each on a line of its own.
set -euo pipefail

cache="${XDG_CACHE_HOME:-$HOME/.cache}/opensaves-soak/tools"
modules="$(dirname "$0")/modules"

# pin prints the package, the version and the build tags of a tool. The package "tool"
# is that of the tool's own module.
pin() {
  case "$1" in
    golangci-lint)      echo github.com/golangci/golangci-lint/v2/cmd/golangci-lint v2.15.0 ;;
    # Without these tags Prometheus asks for the modules of every cloud it can discover.
    prometheus|promtool) echo "github.com/prometheus/prometheus/cmd/$1" v0.316.0 remove_all_sd,enable_kubernetes_sd,enable_dns_sd ;;
    helm)               echo helm.sh/helm/v4/cmd/helm v4.3.1 ;;
    etcd)               own "$1" go.etcd.io/etcd/server/v3 ;;
    kube-apiserver)     own "$1" k8s.io/kubernetes ;;
    protoc-gen-go)      echo google.golang.org/protobuf/cmd/protoc-gen-go v1.36.12 ;;
    protoc-gen-go-grpc) echo google.golang.org/grpc/cmd/protoc-gen-go-grpc v1.6.2 ;;
    *) echo "installing $1: unknown tool" >&2; return 1 ;;
  esac
}

# own pins a tool that go install refuses, for its module replaces others: a module
# under modules requires that one and names the version.
own() {
  local version
  version=$(go list -C "$modules/$1" -m -f '{{.Version}}' "$2") && echo tool "$version"
}

# build puts a tool into a directory.
build() {
  local directory=$1 name=$2 package=$3 version=$4 tags=$5
  if [[ $package == tool ]]; then
    local major minor
    IFS=. read -r major minor _ <<<"${version#v}"
    # Without its version kube-apiserver refuses to start; etcd has no such variables.
    local to=k8s.io/component-base/version
    CGO_ENABLED=0 go build -C "$modules/$name" -o "$directory/$name" \
      -ldflags="-X $to.gitVersion=$version -X $to.gitMajor=$major -X $to.gitMinor=$minor" tool
  else
    CGO_ENABLED=0 GOBIN=$directory go install -tags="$tags" "$package@$version"
  fi
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
    build "$building" "$name" "$package" "$version" "$tags" >&2
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
