"""
Golden pictures of the degradation paths, by the reference in this folder:

    python models/recipes/degradation/make_golden.py

test/fixtures/degradation/cases.json names a clean picture, the parameters of a degradation and severities; for each case this
writes NAME.png beside it, D(x, s) for the severities from top to bottom. The library has to make the same pixels within one
level of 255 (test/unit/degradation), and so has this file when it runs again (test/recipes/degradation). The parameters were
drawn by the library from the seed that stands with them; a unit test draws them again.
"""

import argparse
import json
import sys
from pathlib import Path

import numpy as np
from PIL import Image

sys.path.append(str(Path(__file__).resolve().parent))
from degradation import along_path  # noqa: E402

ROOT = Path(__file__).resolve().parents[3]
FOLDER = ROOT / "test/fixtures/degradation"


def read(path):
    return np.asarray(Image.open(path).convert("RGB"))


def golden(case):
    partner = read(ROOT / case["partner"]) if "partner" in case else None
    return np.concatenate(along_path(read(ROOT / case["source"]), case["degradation"], case["severities"], partner))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=FOLDER)
    out = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    for case in json.loads((FOLDER / "cases.json").read_text()):
        Image.fromarray(golden(case)).save(out / f"{case['name']}.png", optimize=True)


if __name__ == "__main__":
    main()
