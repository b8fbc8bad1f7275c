"""The Python of the documents is run, and the commands that they show have the files and options that they name."""

import ast
import base64
import io
import json
import re
import shlex

import numpy as np
import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from PIL import Image

MIME = "application/vnd.progressive-restoration.run.v1+json"


def blocks(document, *languages):
    return [code for language, code in re.findall(r"^```(\w*)\n(.*?)^```$", document.read_text(), re.M | re.S) if language in languages]


def region_of(path, region):
    x, y, width, height = (region[name] for name in ("x", "y", "width", "height"))
    return np.asarray(Image.open(path).convert("RGB"))[y : y + height, x : x + width]


@pytest.fixture(scope="module")
def python(root):
    """The three pieces of the document about frames from elsewhere: the function, its use in a cell, and how a sheet is read."""
    found = blocks(root / "docs/frames-from-elsewhere.md", "python", "py")
    assert len(found) == 3
    return found


@pytest.fixture(scope="module")
def saved(root):
    """The runs that the quickstart holds."""
    notebook = json.loads((root / "notebooks/01-quickstart.ipynb").read_text())
    outputs = [output for cell in notebook["cells"] for output in cell.get("outputs", [])]
    runs = [output["data"][MIME] for output in outputs if MIME in output.get("data", {})]
    assert len(runs) == 3
    return runs


def test_a_cell_of_ipython_emits_the_strip(root, python, tmp_path, monkeypatch):
    emitter, cell, _ = python
    sharp = np.asarray(Image.open(root / "notebooks/pictures/cat.png").convert("RGB"))
    noise = np.random.default_rng(1).normal(0, 30, sharp.shape)
    frames = [np.clip(sharp + noise * (1 - i / 8), 0, 255).astype(np.uint8) for i in range(9)]
    for i, frame in enumerate(frames):
        Image.fromarray(frame).save(tmp_path / f"step{i}.png")
    Image.fromarray(sharp).save(tmp_path / "sharp.png")
    monkeypatch.chdir(tmp_path)

    shell = InteractiveShell.instance()
    with capture_output() as captured:
        for code in (emitter, cell):
            shell.run_cell(code, store_history=False).raise_error()
    [output] = captured.outputs
    view = output.data[MIME]
    assert output.data["text/plain"] == "9 frames of picture.png by my model"
    assert [(frame["index"], frame["width"], frame["height"]) for frame in view["record"]["frames"]] == [(i + 1, 420, 272) for i in range(9)]
    shown = [picture["thumbnail"] for picture in view["pictures"]] + [view["reference"]["thumbnail"]]
    for url, pixels in zip(shown, [*frames, sharp], strict=True):
        head, data = url.split(",")
        assert head == "data:image/png;base64"
        assert np.array_equal(np.asarray(Image.open(io.BytesIO(base64.b64decode(data)))), pixels)


@pytest.mark.parametrize("number", range(3))
def test_a_saved_sheet_of_crops_is_read_exactly(root, python, saved, number):
    view = saved[number]
    names = {"view": view}
    exec(python[2], names)
    crops, sheet = names["crops"], names["sheet"]
    record, region = view["record"], view["record"]["region"]
    assert crops.shape == (9, region["height"], region["width"], 3) and crops.dtype == np.uint8
    # What lies in the sheet as it is: the reference below all frames.
    pictures = root / "notebooks/pictures"
    reference = region_of(pictures / record["reference"]["file"], region)
    assert np.array_equal(sheet[9 * region["height"] :], reference)
    # The first frame is the input, but where it was enlarged first.
    if record["task"] != "super-resolution":
        assert np.array_equal(crops[0], region_of(pictures / record["input"]["file"], region))
    # Every other crop by plain sums, pixel for pixel.
    rows = np.split(sheet[: 9 * region["height"]].astype(int), 9)
    for index in range(9):
        assert np.array_equal(crops[index], sum(rows[: index + 1]) % 256), index
    errors = [np.abs(crop.astype(float) - reference).mean() for crop in crops]
    assert errors[-1] < errors[0], errors


def options_of(script):
    """What a script's argument parser knows, without loading what the script imports."""
    calls = [node for node in ast.walk(ast.parse(script.read_text())) if isinstance(node, ast.Call)]
    added = [call for call in calls if getattr(call.func, "attr", "") == "add_argument"]
    return {argument.value for call in added for argument in call.args if isinstance(argument, ast.Constant)}


def test_commands_of_the_recipes_name_scripts_files_and_options_that_are_there(root):
    checked = 0
    for document in sorted((root / "models/recipes").rglob("*.md")):
        if {"runs", "node_modules"} & set(document.relative_to(root).parts):
            continue
        for line in "\n".join(blocks(document, "sh")).split("\n"):
            for command in re.split(r"&&|;|\bdo\b", line.split(" #")[0]):
                words = shlex.split(command)
                scripts = [word for word in words if word.endswith(".py")]
                if not scripts:
                    continue
                # From the folder of the recipe, or from the root.
                place = next((folder for folder in (document.parent, root) if (folder / scripts[0]).is_file()), None)
                assert place is not None, f"{document}: {command}"
                given = {word for word in words[words.index(scripts[0]) :] if word.startswith("--")}
                unknown = given - options_of(place / scripts[0])
                assert not unknown, f"{document}: {scripts[0]} has no {unknown}"
                for word in words:
                    if word.startswith("settings/"):
                        assert (place / word).is_file(), f"{document}: {word}"
                checked += 1
    assert checked >= 25, checked
