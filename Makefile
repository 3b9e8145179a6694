# rootkiln. `make` lists the targets.

VERSION  ?= 0.1.0
COMMIT   ?= $(shell git describe --always --dirty --abbrev=12 --exclude='*' 2>/dev/null)
TIME     ?= $(shell TZ=UTC0 git log -1 --format=%cd --date=format-local:%Y-%m-%dT%H:%M:%SZ 2>/dev/null)
PREFIX   ?= /usr/local
BINDIR   ?= $(PREFIX)/bin
MANDIR   ?= $(PREFIX)/share/man
FUZZTIME ?= 60s
export E2E_CACHE

LDFLAGS   = -s -w -X main.version=$(VERSION)
BUILD     = CGO_ENABLED=0 go build -tags site -trimpath -buildvcs=false -ldflags '$(LDFLAGS)'
PLATFORMS = linux/amd64 linux/arm64 linux/arm linux/riscv64 darwin/amd64 darwin/arm64 windows/amd64 wasip1/wasm

.PHONY: help build install test e2e e2e-all bench fuzz site dist check vuln clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build: site ## bin/rootkiln, static and stripped, with the page
	$(BUILD) -o bin/rootkiln ./cmd/gen

install: build ## into DESTDIR, PREFIX; with man pages
	install -D -m 755 bin/rootkiln "$(DESTDIR)$(BINDIR)/rootkiln"
	rm -rf bin/man && bin/rootkiln --lang en man bin/man
	install -d "$(DESTDIR)$(MANDIR)/man1"
	install -m 644 bin/man/*.1 "$(DESTDIR)$(MANDIR)/man1"

test: ## everything but real clusters; installs what the tests need
	.ci/tools
	go run ./.ci/suite

e2e: build ## bundles on a real k3s (cold: twelve minutes of building)
	.ci/tools
	ROOTKILN="$(abspath bin/rootkiln)" go run ./.ci/suite -real

e2e-all: build ## the long round, with etcd and Kubernetes from their modules
	.ci/tools
	ROOTKILN="$(abspath bin/rootkiln)" go run ./.ci/suite -real -all

bench: build ## whole processes against OpenSSL, then the core
	cd e2e/bench && go run . -rootkiln "$(abspath bin/rootkiln)"
	go test -run '^$$' -bench . -benchmem ./pki/...

fuzz: ## every fuzz target for FUZZTIME
	go run ./.ci/suite -only fuzz -fuzztime $(FUZZTIME)

site: ## the page: site/dist/hosted for a server, site/dist/rootkiln.html for a stick
	go -C site/build run . -version '$(VERSION)' -commit '$(COMMIT)' -time '$(TIME)'

dist: site ## binaries for every platform and the page, with SHA256SUMS
	@rm -rf dist && mkdir dist
	cp site/dist/rootkiln.html "dist/rootkiln-$(VERSION).html"
	@set -e; for p in $(PLATFORMS); do \
	  os=$${p%/*}; arch=$${p#*/}; end=; \
	  case $$os in windows) end=.exe ;; wasip1) end=.wasm ;; esac; \
	  echo "dist/rootkiln-$(VERSION)-$$os-$$arch$$end"; \
	  GOOS=$$os GOARCH=$$arch $(BUILD) -o "dist/rootkiln-$(VERSION)-$$os-$$arch$$end" ./cmd/gen; \
	done
	cd dist && sha256sum rootkiln-* > SHA256SUMS

check: test e2e ## all that CI does

vuln: ## known vulnerabilities (needs the network)
	go run golang.org/x/vuln/cmd/govulncheck@v1.9.0 ./...

clean: ## remove what the targets built
	rm -rf bin dist site/dist
