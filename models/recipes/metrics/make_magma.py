"""
Makes src/measure/magma.ts: the colour map `magma` as matplotlib has it.

    python models/recipes/metrics/make_magma.py                       # matplotlib's wheel is downloaded by pip
    python models/recipes/metrics/make_magma.py --wheel FILE --out FILE

magma (Nathaniel J. Smith and Stefan van der Walt, 2015) is in the public domain (CC0 1.0). Its lightness, in CAM02-UCS,
grows evenly. FLIP's own tools show their error maps in it. The table's 256 colours are rounded to 8 bits.
"""

import argparse
import ast
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
REQUIREMENT = "matplotlib==3.11.2"
TEXT = """/**
 * The colour map magma of Nathaniel J. Smith and Stefan van der Walt (2015, CC0 1.0), as matplotlib has it: perceptually
 * uniform, from black over violet to pale yellow. Made by models/recipes/metrics/make_magma.py.
 */
const COLOURS =
  %s;

/** Its 256 colours: 8-bit sRGB, three bytes each. */
export const MAGMA = Uint8Array.from(COLOURS.match(/../g)!, (byte) => Number.parseInt(byte, 16));
"""


def colours(wheel):
    """The 256 colours in [0,1], read out of the wheel's source without importing it."""
    tree = ast.parse(zipfile.ZipFile(wheel).read("matplotlib/_cm_listed.py"))
    for statement in tree.body:
        if isinstance(statement, ast.Assign) and getattr(statement.targets[0], "id", "") == "_magma_data":
            return ast.literal_eval(statement.value)
    sys.exit(f"{wheel} holds no table _magma_data")


def source(wheel):
    table = [f"{round(255 * value):02x}" for colour in colours(wheel) for value in colour]
    assert len(table) == 768
    lines = ["'" + "".join(table[at : at + 48]) + "'" for at in range(0, 768, 48)]
    return TEXT % " +\n  ".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--wheel", type=Path)
    parser.add_argument("--out", type=Path, default=ROOT / "src/measure/magma.ts")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        wheel = arguments.wheel
        if not wheel:
            command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", folder, REQUIREMENT]
            subprocess.run(command, check=True)
            wheel = next(Path(folder).glob("*.whl"))
        arguments.out.write_text(source(wheel))


if __name__ == "__main__":
    main()
