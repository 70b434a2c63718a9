# The parts of the project, each one command. `make demo` and `make test` set everything up by themselves.
SHELL := /bin/sh
CACHE := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/gen3-uploads
PYTHON ?= $(shell sh tests/find-python.sh)
VENV := $(CACHE)/venv-$(shell cat requirements.txt tests/lab/requirements.txt tests/requirements.txt | $(PYTHON) tests/cache-key.py)
LAB_VENV := $(CACHE)/venv-lab-$(shell cat requirements.txt tests/lab/requirements.txt | $(PYTHON) tests/cache-key.py)
# The demo does without the tests' tools, unless they are there.
DEMO_VENV := $(if $(wildcard $(VENV)/.complete),$(VENV),$(LAB_VENV))
PYTEST := $(VENV)/bin/python -m pytest
export PATH := $(VENV)/bin:$(PATH)
# Tools that ask a server for news wait for a time-out where there is none.
export ANSIBLE_LINT_NO_UPDATE_CHECK := 1
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# Python keeps what it has compiled, also where the environment says otherwise (images do): the packages are installed
# uncompiled, and each of a run's many processes would compile its imports anew, in 5 s of 7.
unexport PYTHONDONTWRITEBYTECODE

# The programs of the lab that the cache lacks are downloaded or built beside pip and beside what needs none of them.
BUILD = touch -c $(VENV) $(LAB_VENV); BUILD_FOR=$$PPID PYTHONPATH=tests $(PYTHON) -m lab.programs
DEMO_PROGRAMS := go $(if $(filter minio,$(STORAGE)),go-bento go-minio)

.PHONY: help demo test lint unit component integration molecule bench renew-indexer-base clean clean-cache demo-programs test-programs python
.DEFAULT_GOAL := help

help:
	@echo "make demo         run site.yml against the embedded lab, upload a file and follow it to READY"
	@echo "                  (STORAGE=minio ROUTE=sns|sqs|dispatcher: into a real MinIO, its events through the bridge)"
	@echo "make test         every test: lint, unit, integration and molecule"
	@echo "make lint         ansible-test sanity, ansible-lint, galaxy-importer, docs and changelog"
	@echo "make unit         the tests that need nothing (T=aws/test_policy_merge.py: one file, ARGS=\"-k name\": options of pytest)"
	@echo "make component    the tests of the bridge's engine, of the indexing image and of the lab's parts"
	@echo "make integration  the tests on the lab (real Kubernetes API, emulated AWS)"
	@echo "make molecule     the roles minio and event_bridge on a node, a container on Docker (MOLECULE_NODE_IMAGE: its image)"
	@echo "make clean-cache  remove what the first run has made: $(CACHE)"
	@echo "make renew-indexer-base BASE=IMAGE:TAG@sha256:DIGEST  build the indexing image on another base by default"
	@echo "make bench        speed beside the stock modules and other yardsticks, interleaved, as ratios"

demo: export PATH := $(DEMO_VENV)/bin:$(PATH)
demo: demo-programs $(DEMO_VENV)/.complete
	@PYTHONPATH=tests python -m demo

# Two files at once on two cores: each worker has a lab of its own.
test: test-programs $(VENV)/.complete
	@$(PYTEST) --numprocesses auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder tests

lint: $(VENV)/.complete
	@$(PYTEST) tests/lint

unit: $(VENV)/.complete
	@$(PYTEST) $(ARGS) tests/unit/$(T)

component: $(VENV)/.complete
	@$(PYTEST) $(ARGS) tests/component/$(T)

integration: $(VENV)/.complete
	@$(PYTEST) $(ARGS) tests/integration/$(T)

molecule: $(VENV)/.complete
	@$(PYTEST) tests/molecule

bench: $(VENV)/.complete
	@PYTHONPATH=tests python -m bench
	@PYTHONPATH=tests python -m bench.resources
	@PYTHONPATH=tests python -m bench.reindex
	@PYTHONPATH=tests python -m bench.bridge
	@PYTHONPATH=tests python -m bench.queue_reader
	@PYTHONPATH=tests python -m bench.indexer

# The files that name the default base of the indexing image; a test holds them together.
INDEXER_BASE := $(addprefix roles/indexer_image/,defaults/main.yml files/Containerfile meta/argument_specs.yml)

renew-indexer-base:
	@printf '%s' '$(BASE)' | grep -Eq '^[a-z0-9./:_-]+:[A-Za-z0-9._-]+@sha256:[0-9a-f]{64}$$' || { \
		echo "make renew-indexer-base BASE=docker.io/library/python:TAG@sha256:DIGEST"; exit 1; }
	@sed -i -E 's|docker\.io/library/python:[^@ ]+@sha256:[0-9a-f]{64}|$(BASE)|' $(INDEXER_BASE)

clean:
	rm -rf build

clean-cache:
	rm -rf $(CACHE)

demo-programs: python
	@$(BUILD) $(DEMO_PROGRAMS) &

test-programs: python
	@$(BUILD) &

python:
	@test -n "$(PYTHON)" || { echo "gen3.uploads needs Python 3.11 or newer (python3 -m venv must work)."; exit 1; }

INSTALL = PYTHONPATH=tests $(PYTHON) -m lab.environment

$(VENV)/.complete: | python
	@$(INSTALL) $(VENV) tests/requirements.txt

$(LAB_VENV)/.complete: | python
	@$(INSTALL) $(LAB_VENV) tests/lab/requirements.txt
