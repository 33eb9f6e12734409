"""PyTorch's numbers for the conformance table.

    python data/golden/make_conformance.py [FOLDER]

batchnorm_conformance.npz   inputs and results of every scenario in minitorch_bn/compare/scenarios.py
"""

import argparse
from pathlib import Path

from minitorch_bn.compare.scenarios import FILE, make_reference

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", nargs="?", type=Path, default=Path(__file__).resolve().parent)
    folder = parser.parse_args().folder
    make_reference(folder / FILE)
    print(f"wrote {folder / FILE}")
