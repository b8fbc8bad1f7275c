import json
from pathlib import Path

import numpy as np
import pytest

import text_encoder
from prompts import HELD_OUT, TASKS, UNIFORM
from text_encoder import bucket, hash_ids, normalise

ROOT = Path(__file__).resolve().parents[3]
RECIPE = ROOT / "models" / "recipes" / "compact"
SHIPPED = ROOT / "models" / "compact"


def test_hash_is_fnv1a():
    def fnv(text):
        value = 0x811C9DC5
        for byte in text.encode():
            value = (value ^ byte) * 0x01000193 % 2**32
        return value

    assert fnv("foobar") == 0xBF9CF968  # published test value
    assert bucket("foobar", 16384) == 1 + 0xBF9CF968 % 16383


def test_features_in_order():
    assert hash_ids("") == [0] and hash_ids(" .!? ") == [0]
    features = ["w:fix", "w:it", "b:fix it", "c:^fi", "c:fix", "c:ix$", "c:^it", "c:it$"]
    assert hash_ids("Fix, IT!") == [bucket(f, 16384) for f in features]
    assert len(hash_ids("ab " * 600)) <= text_encoder.MAXIMUM_IDS


def test_normalise():
    assert normalise("  ＤＥＢＬＵＲ\tmy photo\u2026 don't! ") == "deblur my photo don't"
    assert len(normalise("x " * 600)) <= 512


def test_a_short_training_understands_most_requests(smoke):
    encoder = text_encoder.train("/nowhere", smoke, log=lambda text: None)
    scores = text_encoder.accuracy(encoder)
    assert np.mean(list(scores.values())) > 0.75, scores


@pytest.mark.skipif(not (SHIPPED / "text.onnx").exists(), reason="no shipped model")
def test_shipped_encoder_and_its_golden_cases():
    onnxruntime = pytest.importorskip("onnxruntime")
    session = onnxruntime.InferenceSession(str(SHIPPED / "text.onnx"), providers=["CPUExecutionProvider"])
    golden = json.loads((ROOT / "test" / "fixtures" / "text-encoder.json").read_text())
    assert len(golden) >= 20
    for case in golden:
        assert hash_ids(case["text"]) == case["ids"]
        prompt, task = session.run(None, {"ids": np.array([case["ids"]], np.int64)})
        assert np.allclose(prompt[0], case["prompt"], atol=1e-4) and np.allclose(task[0], case["task"], atol=1e-4)
    right = 0
    for k, task in enumerate(TASKS):
        for words in [UNIFORM[task], *HELD_OUT[task]]:
            right += session.run(None, {"ids": np.array([hash_ids(words)], np.int64)})[1][0].argmax() == k
    assert right / (3 + sum(map(len, HELD_OUT.values()))) > 0.9
    assert (RECIPE / "README.md").exists()
