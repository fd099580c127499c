"""Runs the notebooks of this folder from top to bottom; an error in a cell is an error here.

python python/examples/execute.py            # and, with --write, keep what they show
"""

from __future__ import annotations

import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient


def main() -> None:
    """Execute every notebook beside this file."""
    folder = Path(__file__).resolve().parent
    for path in sorted(folder.glob("*.ipynb")):
        notebook = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
        NotebookClient(notebook, timeout=600, resources={"metadata": {"path": folder}}).execute()
        if "--write" in sys.argv[1:]:
            nbformat.write(notebook, path)  # type: ignore[no-untyped-call]
        print(f"{path.name}: {len(notebook.cells)} cells")


if __name__ == "__main__":
    main()
