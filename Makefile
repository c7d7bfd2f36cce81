# What a developer does here, and what CI does. `make` alone lists it.

VERSION  ?= $(or $(shell git describe --tags --dirty 2>/dev/null),dev)
REVISION ?= $(or $(shell git rev-parse HEAD 2>/dev/null),unknown)
BRANCH   ?= $(or $(shell git branch --show-current 2>/dev/null),unknown)
# The commit's date, so that the same sources give the same binary.
DATE     ?= $(or $(shell git log -1 --format=%cI 2>/dev/null),unknown)

version := github.com/prometheus/common/version
LDFLAGS := -s -w -X $(version).Version=$(VERSION) -X $(version).Revision=$(REVISION) \
	-X $(version).Branch=$(BRANCH) -X $(version).BuildDate=$(DATE)

IMAGE         ?= opensaves-soak:$(VERSION)
DOCKER        ?= docker
DOCKER_FLAGS  ?=
BUILD_IMAGE   ?= golang:1.26
RUNTIME_IMAGE ?= gcr.io/distroless/static:nonroot

PACKAGES   ?= ./...
# What tests run, each by the path in the variable of its name.
TEST_TOOLS := promtool prometheus cfn-lint helm etcd kube-apiserver
BENCH      ?= .
BENCH_TIME ?= 1s
# The bars of bench are for two cores in all.
CORES      ?= taskset --cpu-list 0,1

.DEFAULT_GOAL := help
.NOTPARALLEL: # the order of what a target needs is meant

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: build
build: ## build bin/opensaves-soak, static
	CGO_ENABLED=0 go build -trimpath -tags=timetzdata -ldflags='$(LDFLAGS)' -o bin/opensaves-soak ./cmd/opensaves-soak

.PHONY: test
test: vet format lint ## vet, format, lint, then all tests with the race detector (PACKAGES=./load/...)
	set -e; for tool in $(TEST_TOOLS); do \
		path=$$(tools/install.sh $$tool); export "$$(echo $$tool | tr a-z- A-Z_)=$$path"; \
	done; go test -race -shuffle=on -parallel=12 -timeout=20m $(PACKAGES)

.PHONY: vet
vet:
	go vet ./...

.PHONY: format
format:
	@unformatted=$$(gofmt -s -l .) && if [ -n "$$unformatted" ]; then echo "not formatted; run make fmt:"; echo "$$unformatted"; exit 1; fi

.PHONY: lint
lint: ## golangci-lint
	lint=$$(tools/install.sh golangci-lint) && $$lint run ./...

.PHONY: fmt
fmt: ## rewrite sources with gofumpt and goimports
	lint=$$(tools/install.sh golangci-lint) && $$lint fmt ./...

.PHONY: bench
bench: ## hold the program to its bars of speed and size, about 13 min on an idle machine (settings: bench/doc.go)
	$(CORES) go test -run='^$$' -bench='$(BENCH)' -benchtime=1x -timeout=3h ./bench

.PHONY: bench-parts
bench-parts: ## benchmarks of packages (PACKAGES=./load/pace BENCH=Arrivals BENCH_TIME=5s)
	go test -run='^$$' -bench='$(BENCH)' -benchtime=$(BENCH_TIME) -benchmem $$(go list $(PACKAGES) | grep -v '/bench$$')

.PHONY: generate
generate: ## write generated files anew: gRPC code, dashboards, rules, tables of the documents; needs protoc
	plugins=$$(tools/install.sh protoc-gen-go protoc-gen-go-grpc | xargs -n 1 dirname | paste -s -d : -) && PATH="$$plugins:$$PATH" go generate ./...

.PHONY: generated
generated: generate
	git diff --exit-code

.PHONY: check
check: generated test ## what CI does: generated files are up to date, and test passes

.PHONY: tools
tools: ## install the pinned tools into the user's cache
	@tools/install.sh golangci-lint $(TEST_TOOLS) protoc-gen-go protoc-gen-go-grpc

.PHONY: image
image: ## build the container image (IMAGE, BUILD_IMAGE, RUNTIME_IMAGE, DOCKER, DOCKER_FLAGS)
	$(DOCKER) build $(DOCKER_FLAGS) --tag $(IMAGE) \
		--build-arg BUILD_IMAGE=$(BUILD_IMAGE) --build-arg RUNTIME_IMAGE=$(RUNTIME_IMAGE) \
		--build-arg VERSION=$(VERSION) --build-arg REVISION=$(REVISION) \
		--build-arg BRANCH=$(BRANCH) --build-arg DATE=$(DATE) .
