"""models/lpips is what models/recipes/lpips/convert.py makes, and it computes LPIPS."""

import hashlib
import io
import json
import pickle
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

FILES = ("lpips-alex.onnx", "lpips-alex-distance.onnx", "manifest.json")


@pytest.fixture(scope="module")
def convert(recipe):
    return recipe("lpips/convert")


@pytest.fixture(scope="module")
def arrays(convert, packages):
    return convert.weights.load(packages)


@pytest.fixture(scope="module")
def distance(convert, root):
    folder = root / "models/lpips"
    return convert.Distance(*((folder / name).read_bytes() for name in FILES[:2]))


def launch(root, *arguments):
    command = [sys.executable, str(root / "models/recipes/lpips/convert.py"), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True)


def test_the_recipe_makes_the_committed_files(root, data, packages, arrays, tmp_path):
    # The published distances and arrays are checked as well where they are at hand.
    published = ["--reference", data / "reference/lpips"] if (data / "reference/lpips").exists() else []
    run = launch(root, "--packages", packages, "--out", tmp_path / "made", *published)
    assert run.returncode == 0, run.stderr
    assert sorted(path.name for path in (tmp_path / "made").iterdir()) == sorted(FILES)
    for name in FILES:
        assert (tmp_path / "made" / name).read_bytes() == (root / "models/lpips" / name).read_bytes(), name


def test_the_manifest_describes_the_files(root):
    folder = root / "models/lpips"
    manifest = json.loads((folder / "manifest.json").read_text())
    assert (manifest["schema"], manifest["id"], manifest["kind"]) == (1, "lpips-alex", "metric")
    for entry in manifest["files"].values():
        content = (folder / entry["path"]).read_bytes()
        assert entry["bytes"] == len(content)
        assert entry["sha256"] == hashlib.sha256(content).hexdigest()


def test_distances_agree_with_the_lpips_package(root, distance):
    pairs = json.loads((root / "test/fixtures/metrics-golden.json").read_text())["pairs"]
    assert len(pairs) >= 12
    for pair in pairs:
        got = distance(root / pair["a"], root / pair["b"])
        assert got == pytest.approx(pair["lpips"], abs=1e-3), pair["name"]
        if pair["a"] == pair["b"]:
            assert got == 0


def test_the_distance_is_symmetric(root, distance):
    a, b = (root / f"test/fixtures/pictures/{name}.png" for name in ("patch-jpeg", "patch"))
    assert distance(a, b) == distance(b, a)


def test_feature_vectors_have_unit_length(root, distance):
    picture = np.asarray(Image.open(root / "test/fixtures/pictures/patch.png").convert("RGB"), np.float32) / 255
    maps = distance.features.run(None, {"image": picture.transpose(2, 0, 1)[None]})
    assert [one.shape[1] for one in maps] == [64, 192, 384, 256, 256]
    for one in maps:
        length = np.sqrt((one**2).sum(1))
        assert length.max() == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("size", [(32, 32), (33, 47), (301, 500)])
def test_height_and_width_are_free(distance, size, tmp_path):
    random = np.random.default_rng(1)
    for name in "ab":
        Image.fromarray(random.integers(0, 256, (*size, 3), np.uint8)).save(tmp_path / f"{name}.png")
    assert 0 < distance(tmp_path / "a.png", tmp_path / "b.png") < 2


def spoil_weight(convolutions, heads):
    convolutions[2][0][5, 7, 1, 1] += 3


def spoil_bias(convolutions, heads):
    convolutions[0][1][10] += 3


def spoil_head(convolutions, heads):
    heads[4][100] += 30


def spoil_with_nan(convolutions, heads):
    convolutions[4][0][0, 0, 0, 0] = np.nan


@pytest.mark.parametrize("spoil", [spoil_weight, spoil_bias, spoil_head, spoil_with_nan])
def test_one_wrong_number_is_refused_and_nothing_is_written(convert, arrays, spoil, tmp_path):
    convolutions = [(weight.copy(), bias.copy()) for weight, bias in arrays[0]]
    heads = [head.copy() for head in arrays[1]]
    spoil(convolutions, heads)
    before = tmp_path / "manifest.json"
    before.write_text("what was there before")
    with pytest.raises(convert.Refused, match="expected"):
        convert.convert(convolutions, heads, None, convert.Settings(out=tmp_path))
    assert list(tmp_path.iterdir()) == [before]
    assert before.read_text() == "what was there before"


def test_the_command_refuses_where_the_reference_is_missed(root, packages, arrays, tmp_path):
    # Pictures under the reference's names between which LPIPS is something else.
    reference = tmp_path / "reference"
    reference.mkdir()
    for name, source in (("ex_ref", "patch"), ("ex_p0", "patch-noisy"), ("ex_p1", "patch-jpeg")):
        (reference / f"{name}.png").write_bytes((root / f"test/fixtures/pictures/{source}.png").read_bytes())
    run = launch(root, "--packages", packages, "--reference", reference, "--out", tmp_path / "made")
    assert run.returncode != 0
    assert "refused, nothing written: ex_p0.png" in run.stderr
    assert not (tmp_path / "made").exists()


def test_a_folder_without_reference_pictures_is_refused(root, packages, arrays, tmp_path):
    run = launch(root, "--packages", packages, "--reference", tmp_path, "--out", tmp_path / "made")
    assert run.returncode != 0
    assert "holds no ex_ref.png" in run.stderr
    assert not (tmp_path / "made").exists()


def test_with_nothing_to_check_against_it_is_refused(convert, arrays, tmp_path):
    settings = convert.Settings(out=tmp_path / "made", golden=tmp_path / "absent.json")
    with pytest.raises(convert.Refused, match="nothing to check against"):
        convert.convert(*arrays, None, settings)
    assert not settings.out.exists()


def test_a_package_that_was_changed_is_not_read(convert, tmp_path):
    (tmp_path / convert.weights.HEADS["file"]).write_bytes(b"something else")
    with pytest.raises(ValueError, match="expected sha256"):
        convert.weights.fetch(convert.weights.HEADS, tmp_path)


@pytest.mark.parametrize("unpickler", ["_Arrays", "_Tensors"])
def test_a_pickle_cannot_run_code(convert, unpickler, tmp_path):
    class Attack:
        def __reduce__(self):
            return open, (str(tmp_path / "opened"), "w")

    with pytest.raises(pickle.UnpicklingError, match="has no use for"):
        getattr(convert.weights, unpickler)(io.BytesIO(pickle.dumps(Attack()))).load()
    assert not (tmp_path / "opened").exists()
