# Everything a maker of this project does, on a machine with python3 and make.
# Flags for what a target runs go into ARGS: make serve ARGS="--tier free"

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALL = $(BIN)/python -m pip install --quiet --disable-pip-version-check
SERVABLE := $(VENV)/servable
READY := $(VENV)/ready
LOWEST := .venv-lowest
COMPAT := .venv-compat
COMPAT_CLIENT := .venv-compat-client
FUZZ := .venv-fuzz
PEERS := .peers
ARGS ?=
JAVASCRIPT := tests/javascript
TYPESCRIPT := clients/typescript
ESLINT := $(JAVASCRIPT)/node_modules/.bin/eslint

.DEFAULT_GOAL := help
.PHONY: help serve test lowest compat soak fuzz check check-js typescript dist pictures bench bench-peers

help: ## List what can be made
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 13

serve: $(SERVABLE) ## Serve the sandbox; ARGS="--tier free" passes flags on
	@$(BIN)/msgine-sandbox serve $(ARGS)

# What pip does for an installed package: where the environment forbids to write bytecode, each of the sandboxes that
# tests start would compile the package for itself.
COMPILE = $(BIN)/python -m compileall -q msgine_sandbox

# A process for each core and one more, because many tests wait for another process; one that is done takes over tests of
# another. ARGS="-n 0" uses one.
PARALLEL = -n $$(($$(getconf _NPROCESSORS_ONLN) + 1)) --maxprocesses 8 --dist worksteal

test: $(READY) ## Run every test; ARGS="-k idempotency" chooses some
	@$(COMPILE)
	@$(BIN)/python -m pytest $(PARALLEL) $(ARGS)

# Unclosed sockets: anyio before 4.2 can leave one open whose task is cancelled while it connects, as in the tests of
# event loops that are left. It needs a busy machine; with the current versions it does not happen.
# Not tests/storage: what it tests needs sqlite3, and of others only msgspec, which all other tests use as well.
# Fewer examples of each property: a version that does not fit fails with the first ones, and `make test` tries all.
lowest: $(LOWEST)/ready ## Run the tests that need other packages with the lowest versions that pyproject.toml allows
	@$(COMPILE)
	@$(LOWEST)/bin/python -m pytest $(PARALLEL) -W ignore:unclosed:ResourceWarning \
	  tests/api tests/asgi tests/control tests/model tests/services \
	  tests/cli/test_bad_input.py tests/cli/test_settings.py tests/cli/test_tls.py tests/ui/test_docs_pages.py \
	  --deselect tests/ui/test_docs_pages.py::test_a_page_fits_the_window --hypothesis-profile fewer $(ARGS)

compat: $(COMPAT)/ready $(COMPAT_CLIENT)/ready ## Test beside other plugins and with clients of other languages; ARGS="--short"
	@COMPAT_CLIENT_PYTHON=$(CURDIR)/$(COMPAT_CLIENT)/bin/python $(COMPAT)/bin/python tests/compat $(ARGS)

soak: $(READY) ## Load the sandbox for 10 minutes, on bad days too; ARGS="--short" takes less than one
	@$(COMPILE)
	@PYTHONPATH=tests/support $(BIN)/python tests/soak $(ARGS)

fuzz: $(READY) $(FUZZ)/ready ## Call what the OpenAPI documents allow, and what not; ARGS="--short" takes about a minute
	@$(COMPILE)
	@$(BIN)/python tests/fuzz --schemathesis $(FUZZ)/bin/schemathesis $(ARGS)

check: $(READY) ## Check style, types and which package imports which
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy
	@$(BIN)/lint-imports

check-js: $(ESLINT) ## Check the page's JavaScript; needs Node.js 18.18 or later and npm
	@$(ESLINT) --config $(JAVASCRIPT)/eslint.config.js msgine_sandbox/ui/static $(JAVASCRIPT)

typescript: $(READY) $(TYPESCRIPT)/node_modules ## Test the TypeScript client and pack it; needs Node.js 20 and npm
	@rm -f $(TYPESCRIPT)/*.tgz
	@cd $(TYPESCRIPT) && export PATH=$(CURDIR)/$(BIN):$$PATH && npm pack --silent && npm test && node try-packed.mjs

dist: $(READY) ## Build wheel and source distribution, and try both in empty environments
	@$(BIN)/python tests/release

pictures: $(READY) ## Take the screenshots of docs/inbox.md; ARGS=FOLDER takes those of all views
	@$(BIN)/python tests/support/pictures.py $(ARGS)

bench: $(READY) ## Measure the speed against goals; ARGS="--rows send,get" chooses rows, ARGS="--short" takes a minute
	@$(COMPILE)
	@$(BIN)/python -m benchmarks $(ARGS)

bench-peers: $(READY) $(PEERS)/ready ## Measure other servers at the nearest work; needs Node.js, npm and Java
	@$(COMPILE)
	@$(BIN)/python -m benchmarks.peers $(ARGS)

# One environment: `serve` installs what it needs, about 110 MB, and the other targets add the tools for development,
# about 310 MB. Each file below is as new as what was installed.
# All output of the setup goes to standard error: the first line that `serve` prints is the base URL.
$(SERVABLE): pyproject.toml
	$(create-environment)
	@echo 'Installing msgine-sandbox into $(VENV), once; this takes about half a minute.' >&2
	@$(INSTALL) -e . >&2
	@touch $@

$(READY): pyproject.toml
	$(create-environment)
	@echo 'Installing msgine-sandbox and its tools for development into $(VENV), once; this takes about a minute.' >&2
	@$(INSTALL) -e '.[dev]' >&2
	@touch $(SERVABLE) $@

# anyio: later ones warn of what the TestClient of the lowest Starlette leaves open.
$(LOWEST)/ready: VENV := $(LOWEST)
$(LOWEST)/ready: BIN := $(LOWEST)/bin
$(LOWEST)/ready: pyproject.toml tests/lowest.txt
	$(create-environment)
	@echo 'Installing the lowest versions that msgine-sandbox works with into $(VENV), once.' >&2
	@$(INSTALL) --upgrade pip >&2
	@$(INSTALL) --constraint tests/lowest.txt -e '.[tls]' 'anyio<4.2' axe-playwright-python hypothesis playwright \
	  prometheus-client 	  pytest pytest-asyncio pytest-timeout pytest-xdist standardwebhooks >&2
	@touch $@

# Two more environments, without the tools for development: what users have, and the client with nothing but pytest.
$(COMPAT)/ready: VENV := $(COMPAT)
$(COMPAT)/ready: BIN := $(COMPAT)/bin
$(COMPAT)/ready: pyproject.toml tests/compat/requirements.txt
	$(create-environment)
	@echo 'Installing msgine-sandbox beside what its users have into $(VENV), once; this takes about half a minute.' >&2
	@$(INSTALL) -e . -r tests/compat/requirements.txt >&2
	@touch $@

$(COMPAT_CLIENT)/ready: VENV := $(COMPAT_CLIENT)
$(COMPAT_CLIENT)/ready: BIN := $(COMPAT_CLIENT)/bin
$(COMPAT_CLIENT)/ready: pyproject.toml
	$(create-environment)
	@echo 'Installing msgine-sandbox without what it needs into $(VENV), once.' >&2
	@$(INSTALL) pytest >&2
	@$(INSTALL) --no-deps -e . >&2
	@touch $@

# Of its own, because it brings along 40 packages, and other versions of some that the sandbox needs.
$(FUZZ)/ready: VENV := $(FUZZ)
$(FUZZ)/ready: BIN := $(FUZZ)/bin
$(FUZZ)/ready: tests/fuzz/requirements.txt
	$(create-environment)
	@echo 'Installing schemathesis into $(VENV), once.' >&2
	@$(INSTALL) -r tests/fuzz/requirements.txt >&2
	@touch $@

# The pinned versions of other servers. What cannot be installed is not measured, and the table says so.
$(PEERS)/ready: benchmarks/peers/package.json benchmarks/peers/package-lock.json benchmarks/peers/requirements.txt
	@echo 'Installing the peers into $(PEERS), about 520 MB, once; this takes about a minute.' >&2
	@mkdir -p $(PEERS)
	@cp benchmarks/peers/.npmrc benchmarks/peers/package.json benchmarks/peers/package-lock.json $(PEERS)
	@npm ci --prefix $(PEERS) --ignore-scripts --silent >&2 || echo 'npm did not install its peers' >&2
	@{ $(PYTHON) -m venv $(PEERS)/python && $(PEERS)/python/bin/python -m pip install --quiet \
	  --disable-pip-version-check -r benchmarks/peers/requirements.txt; } >&2 || echo 'pip did not install its peers' >&2
	@touch $@

# A .venv without pip is what a failed `python3 -m venv` leaves on Debian; it is made anew.
define create-environment
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo 'This needs Python 3.11 or later; name one that you have: make PYTHON=python3.13' >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || { \
	  package=$$($(PYTHON) -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])'); \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    { apt-get update -qq && DEBIAN_FRONTEND=noninteractive \
	      apt-get install -yqq --no-install-recommends "$$package"; } >&2; \
	  else \
	    echo "Python comes without its venv module here; install it: apt-get install $$package" >&2; exit 1; \
	  fi; }
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear $(VENV) >&2
endef

$(TYPESCRIPT)/node_modules: $(TYPESCRIPT)/package-lock.json
	@npm --version >/dev/null 2>&1 || { \
	  echo 'This needs Node.js and npm, for example: apt-get install nodejs npm' >&2; exit 1; }
	@npm ci --prefix $(TYPESCRIPT) --silent >&2
	@touch $@

# The pinned versions, each checked against its hash in the lock file.
$(ESLINT): $(JAVASCRIPT)/package-lock.json
	@npm --version >/dev/null 2>&1 || { \
	  echo 'This needs Node.js and npm, for example: apt-get install nodejs npm' >&2; exit 1; }
	@npm ci --prefix $(JAVASCRIPT) --silent >&2
	@touch $@
