"""Prints what a server needs of the declared set, one requirement a line, for `pip install -r … -c constraints.txt`.

Development's packages are left out. setuptools is what the project itself is built with.
"""

import tomllib
from pathlib import Path

PROJECT = tomllib.loads((Path(__file__).resolve().parent.parent / "pyproject.toml").read_text())

if __name__ == "__main__":
    print(*PROJECT["project"]["dependencies"], "setuptools", sep="\n")
