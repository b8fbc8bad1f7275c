"""Everything here runs on tiny networks with random weights and on a data set of nine clips that the library's `dataset` command made."""

import contextlib
import importlib
import os
import runpy
import sys
from pathlib import Path
from types import SimpleNamespace

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("HF_HUB_OFFLINE", "1")

import pytest  # noqa: E402
import torch  # noqa: E402

ROOT = Path(__file__).resolve().parents[3]
RECIPES = ROOT / "models/recipes"
RECIPE = RECIPES / "cogvideox"
MODULES = ("settings", "configurations", "lora", "graphs", "export", "clips", "embeddings", "train", "merge", "make_fixtures", "benchmark")


def _of_recipes():
    return [name for name, module in sys.modules.items() if RECIPES in Path(getattr(module, "__file__", None) or "/").parents]


@contextlib.contextmanager
def _alone():
    """Recipes name their files alike (train, export, settings): the others' are put aside while this one's are imported."""
    aside = {name: sys.modules.pop(name) for name in _of_recipes()}
    sys.path.insert(0, str(RECIPE))
    try:
        yield
    finally:
        sys.path.remove(str(RECIPE))
        for name in _of_recipes():
            del sys.modules[name]
        sys.modules.update(aside)


@pytest.fixture(scope="package", autouse=True)
def one_thread():
    """Networks are so small that threads would wait for each other longer than they compute."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def cog():
    """The recipe's modules."""
    with _alone():
        return SimpleNamespace(**{name: importlib.import_module(name) for name in MODULES})


@pytest.fixture(scope="session")
def launch():
    """Runs a file of the recipe as its command line does."""

    def run(name, *arguments):
        old = sys.argv
        sys.argv = [name, *map(str, arguments)]
        try:
            with _alone():
                runpy.run_path(str(RECIPE / name), run_name="__main__")
        finally:
            sys.argv = old

    return run


@pytest.fixture(scope="session")
def fixtures():
    return ROOT / "test/fixtures/cogvideox"


@pytest.fixture(scope="session")
def model(cog, fixtures, tmp_path_factory):
    """Folders of the committed models with everything in them: a file that is the same in several models is committed once."""
    made, out = {}, tmp_path_factory.mktemp("models")

    def folder(name):
        if name not in made:
            made[name] = cog.make_fixtures.completed(name, fixtures, out)
        return made[name]

    return folder


@pytest.fixture(scope="session")
def smoke(cog):
    return cog.settings.load_settings(RECIPE / "settings/smoke.json")


@pytest.fixture(scope="session")
def weights(cog, tmp_path_factory):
    """Folders in diffusers' format, as a download of the published weights has it; 2b takes no picture yet."""
    root = tmp_path_factory.mktemp("weights")

    def folder(variant):
        if not (root / variant).exists():
            cog.configurations.tiny_pipeline(variant, widened=False).save_pretrained(root / variant)
        return root / variant

    return folder


@pytest.fixture(scope="session")
def trained(cog, weights, fixtures, smoke, tmp_path_factory):
    """(run, losses on the fixed draw) of a variant, trained once."""
    runs = {}

    def run(variant):
        if variant not in runs:
            folder = tmp_path_factory.mktemp("run") / variant
            runs[variant] = (folder, cog.train.train(weights(variant), fixtures / "data-set", folder, smoke, log=lambda text: None))
        return runs[variant]

    return run
