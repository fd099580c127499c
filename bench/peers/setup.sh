#!/usr/bin/env bash
# Makes bench/peers/venv with the pinned peers. PYTHON names another interpreter (3.11 was used).
# Only the CPU is used: with PIP_INDEX_URL set to PyTorch's index of CPU wheels the download is a tenth of the size.
set -euo pipefail
cd "$(dirname "$0")"

if [ ! -x venv/bin/python ]; then
    "${PYTHON:-python3}" -m venv venv
fi
venv/bin/python -m pip install --quiet --requirement requirements.txt
venv/bin/python -c 'import torch, transformers; print(f"torch {torch.__version__}, transformers {transformers.__version__}")'
