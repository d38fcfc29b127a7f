# `make demo` runs the main job on the example; `make test` runs all checks.
# Each makes its own virtual environment and installs what is missing.
PYTHON ?= $(shell command -v python3.11 || command -v python3.12 || command -v python3)
VENV ?= .venv
BIN = $(VENV)/bin

.PHONY: demo test examples clean

demo: $(VENV)/installed
	$(BIN)/retarget animate --source examples/source.png --driving examples/driving.mp4 --output out/demo.mp4 --overwrite
	@echo "Look at out/demo.mp4"

test: $(VENV)/installed-dev
	$(BIN)/ruff check .
	$(BIN)/mypy
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest

examples: $(VENV)/installed
	$(BIN)/python -m retarget_cli.synth.examples examples
	$(BIN)/retarget animate -s examples/source.png -d examples/driving.mp4 -o examples/result.mp4 --size 720 --crf 23 --overwrite
	$(BIN)/python -m retarget_cli.workflows.sheet examples/driving.mp4 examples/result.mp4 examples/sheet.png

$(VENV)/bin/python:
	$(PYTHON) -c 'import sys; sys.exit("retarget needs Python 3.11 or 3.12; say make PYTHON=/path/to/python3.11" if not (3, 11) <= sys.version_info[:2] < (3, 13) else 0)'
	$(PYTHON) -m venv $(VENV)

$(VENV)/installed: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable .
	@touch $@

$(VENV)/installed-dev: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	@touch $@

clean:
	rm -rf $(VENV) out build
