"""The fixtures that the library's tests read are what diffusers gives today, and the committed graphs compute it."""

import json

import numpy as np
import onnx
import pytest
import torch
from safetensors.torch import load_file

VARIANTS = ("2b", "5b", "5b-i2v", "1.5-5b-i2v")
LONGER = {"5b-25": 25, "1.5-5b-i2v-17": 17}


@pytest.fixture(scope="module")
def again(cog, tmp_path_factory):
    out = tmp_path_factory.mktemp("fixtures")
    return out, cog.make_fixtures.write(out)


def test_every_part_agrees_with_pytorch(again):
    _, differences = again
    assert set(differences) == {*VARIANTS, *LONGER}
    assert set(differences["2b"]) >= {"vae_encoder", "vae_decoder", "vae_still", "transformer"} and "text_encoder" in differences["5b-i2v"]
    assert max(value for parts in differences.values() for value in parts.values()) < 1e-4


@pytest.mark.parametrize("variant", (*VARIANTS, *LONGER))
def test_reference_outputs_are_made_again(again, fixtures, variant):
    made = {path.name for path in (again[0] / variant).iterdir()}
    assert made == {path.name for path in (fixtures / variant).iterdir()}
    for name in sorted(made):
        new, old = again[0] / variant / name, fixtures / variant / name
        if name.endswith(".safetensors"):
            one, other = load_file(new), load_file(old)
            assert one.keys() == other.keys()
            for key in one:
                # Four guided steps multiply what processors differ by; frames are kept in half precision.
                limit = 2e-3 if one[key].dtype == torch.float16 else 1e-3 if key == "latents" else 1e-4
                assert torch.allclose(one[key].float(), other[key].float(), atol=limit, rtol=limit), f"{name}: {key}"
        elif name.endswith(".onnx"):
            one, other = (onnx.load(str(path), load_external_data=False).graph for path in (new, old))
            assert [node.op_type for node in one.node] == [node.op_type for node in other.node]
            assert [entry.SerializeToString() for entry in (*one.input, *one.output)] == [entry.SerializeToString() for entry in (*other.input, *other.output)]
        elif name == "manifest.json":
            one, other = (json.loads(path.read_text()) for path in (new, old))
            assert one.pop("files").keys() == other.pop("files").keys()
            colours, others = (value["vae"].pop("preview") for value in (one, other))
            assert colours.keys() == others.keys() and all(np.allclose(colours[name], others[name], atol=1e-3) for name in colours)
            assert one == other
        elif name in ("runs.json", "tokenizer.json"):
            assert json.loads(new.read_text()) == json.loads(old.read_text())


def test_tables_are_made_again(again, fixtures):
    one, other = (json.loads((folder / "scheduler.json").read_text()) for folder in (again[0], fixtures))

    def flat(value):
        if isinstance(value, dict):
            return [number for key in sorted(value) for number in flat(value[key])]
        return [number for item in value for number in flat(item)] if isinstance(value, list) else [value] if isinstance(value, (int, float)) else []

    assert one["shifts"].keys() == other["shifts"].keys()
    assert np.allclose(flat(one), flat(other), atol=1e-6)
    assert (again[0] / "tokens.json").read_text() == (fixtures / "tokens.json").read_text()
    assert (again[0] / "picture.png").read_bytes() == (fixtures / "picture.png").read_bytes()


def test_scheduler_has_the_values_of_the_paper_configuration(fixtures):
    shifts = json.loads((fixtures / "scheduler.json").read_text())["shifts"]
    for shift, values in (("1.0", (0.99915, 0.98101, 0.24236, 0)), ("3.0", (0.99745, 0.94657, 0.09597, 0))):
        assert np.allclose([shifts[shift]["alphas_cumprod"][str(i)] for i in (0, 19, 499, 999)], values, atol=1e-5)


@pytest.mark.parametrize("variant", VARIANTS)
def test_committed_graphs_give_the_committed_outputs(cog, model, variant):
    folder = model(variant)
    parts = load_file(folder / "parts.safetensors")
    for part, output in (("vae_encoder", "moments"), ("transformer", "velocity"), ("text_encoder", "prompt_embeds"), ("vae_decoder", "sample")):
        if f"{part}.{output}" not in parts:
            continue
        session = cog.export.session(folder / f"{part}.onnx")
        inputs = {}
        for entry in session.get_inputs():
            key = entry.name.replace("rope_", "rope.") if entry.name.startswith("rope") else f"{part}.{entry.name}"
            inputs[entry.name] = parts[key].numpy().astype(np.int64 if "int64" in entry.type else np.float32)
        assert np.abs(session.run(None, inputs)[0] - parts[f"{part}.{output}"].numpy()).max() < 1e-4


@pytest.mark.parametrize("variant", VARIANTS)
def test_runs_differ_where_they_should(fixtures, variant):
    runs = {run["name"]: load_file(fixtures / variant / run["result"])["latents"] for run in json.loads((fixtures / variant / "runs.json").read_text())}
    assert len(runs) == 7
    names = list(runs)
    for i, one in enumerate(names):
        for other in names[i + 1 :]:
            assert (runs[one] - runs[other]).abs().max() > 0.05, f"{one} and {other} are the same"


@pytest.mark.parametrize("name", LONGER)
def test_longer_clips_are_of_the_length_that_they_say(fixtures, name):
    (run,) = json.loads((fixtures / name / "runs.json").read_text())
    result, frames = load_file(fixtures / name / run["result"]), LONGER[name]
    assert json.loads((fixtures / name / "manifest.json").read_text())["frames"] == frames
    # 1.5 has tokens of two latent frames, and fills up its five.
    assert result["latents"].shape[1] == (frames - 1) // 4 + 1 + ("1.5" in name)
    assert result["frames"].shape == (len(run["frames"]), 3, 32, 48) and run["frames"][-1] == frames - 1


def test_fixtures_stay_small_and_nothing_is_committed_twice(fixtures):
    assert sum(path.stat().st_size for path in fixtures.rglob("*") if path.is_file()) <= 3e6
    contents = [path.read_bytes() for path in fixtures.rglob("*") if path.is_file() and path.stat().st_size > 16_000]
    assert len(set(contents)) == len(contents)


def test_graphs_have_nothing_that_depends_on_data(fixtures):
    for path in fixtures.glob("*/*.onnx"):
        graph = onnx.load(str(path), load_external_data=False).graph
        assert not {node.op_type for node in graph.node} & {"ScatterND", "ScatterElements", "NonZero", "If", "Loop", "Resize"}, path
