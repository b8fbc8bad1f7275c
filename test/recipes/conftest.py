"""What the recipes' tests share: where things are, how a recipe is loaded, and where downloads are kept."""

import importlib.util
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
RECIPES = ROOT / "models/recipes"


def load_recipe(name):
    """The module models/recipes/NAME.py, for example "lpips/convert".

    A recipe imports the files beside it by their bare names, and two recipes may use the same name. So each is loaded
    as when it is launched, with its own folder first, and its neighbours are forgotten afterwards.
    """
    path = RECIPES / f"{name}.py"
    module = f"recipe.{name.replace('/', '.')}"
    search_path, known = list(sys.path), set(sys.modules)
    sys.path.insert(0, str(path.parent))
    try:
        spec = importlib.util.spec_from_file_location(module, path)
        loaded = sys.modules[module] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(loaded)
    finally:
        sys.path[:] = search_path
        for neighbour in set(sys.modules) - known - {module}:
            if RECIPES in Path(getattr(sys.modules[neighbour], "__file__", None) or "/").parents:
                del sys.modules[neighbour]
    return loaded


@pytest.fixture(scope="session")
def root():
    return ROOT


@pytest.fixture(scope="session")
def recipe():
    return load_recipe


@pytest.fixture(scope="session")
def packages(pytestconfig):
    """Where downloaded packages are kept from one run of the tests to the next."""
    return pytestconfig.cache.mkdir("packages")


@pytest.fixture(scope="session")
def data():
    """Test sets and reference values that may lie beside the checkout: for a check more, never for the only one."""
    return ROOT.parent / "shared/data"
