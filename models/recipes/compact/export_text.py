"""A new text encoder into an exported model: text.onnx, its entry in the manifest, and the golden cases; the picture networks stay.

    python export_text.py --encoder runs/text.pt --out ../../compact --golden ../../../test/fixtures/text-encoder.json

Several encoders that started from the same one (`--encoder a.pt b.pt`) are averaged, and the uniform sentences get the vectors of the encoder in OUT again.
"""

import argparse
import hashlib
import json
import tempfile
from pathlib import Path

import numpy as np
import torch

from export import golden, golden_texts, graph_of, rounded, session
from from_onnx import load_text
from prompts import UNIFORM
from settings import replace_file, write_text
from text_encoder import TextEncoder, hash_ids, pin, understood


def write_text_graph(encoder, path):
    """The graph, checked against PyTorch on the golden texts; returns the largest difference."""
    encoder = rounded(encoder)
    buckets = encoder.table.num_embeddings
    graph_of(encoder, (torch.tensor([hash_ids("deblur it", buckets)]),), ["ids"], ["prompt", "task"], {"ids": {1: "length"}}, path)
    text, worst = session(path), 0.0
    for words in golden_texts():
        ids = np.array([hash_ids(words, buckets)], np.int64)
        with torch.no_grad():
            expected = encoder(torch.from_numpy(ids))
        worst = max(worst, *(float(np.abs(a - b.numpy()).max()) for a, b in zip(text.run(None, {"ids": ids}), expected)))
    if not worst < 1e-4:
        raise ValueError(f"ONNX and PyTorch differ by {worst}")
    return worst


def replace_text(encoder, out, golden_path=None):
    out = Path(out)
    manifest = json.loads((out / "manifest.json").read_text())
    with tempfile.TemporaryDirectory(dir=out.parent) as temporary:
        worst = write_text_graph(encoder, Path(temporary) / "text.onnx")
        cases = golden(temporary, encoder.table.num_embeddings)
        data = (Path(temporary) / "text.onnx").read_bytes()
    manifest["files"]["text"].update(sha256=hashlib.sha256(data).hexdigest(), bytes=len(data))
    replace_file(out / "text.onnx", lambda path: path.write_bytes(data))
    write_text(out / "manifest.json", json.dumps(manifest, indent=2, ensure_ascii=False) + "\n")
    if golden_path:
        write_text(golden_path, json.dumps(cases, indent=1, ensure_ascii=False) + "\n")
    return worst, len(data)


def average(states, old):
    """The mean of the weights of encoders with the same start, its uniform sentences pinned to the old encoder's vectors."""
    encoder = TextEncoder(*states[0]["table.weight"].shape, states[0]["outer.weight"].shape[0])
    encoder.load_state_dict({name: torch.stack([state[name] for state in states]).mean(0) for name in states[0]})
    uniform = list(UNIFORM.values())
    encoder = rounded(encoder.eval())  # as the file will say it, so that the vectors are right there
    pin(encoder, uniform, old.encode(uniform)[0])
    return encoder


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--encoder", required=True, nargs="+")
    parser.add_argument("--out", required=True)
    parser.add_argument("--golden")
    a = parser.parse_args()
    torch.set_num_threads(1)
    states = [torch.load(path, weights_only=False)["model"] for path in a.encoder]
    if len(states) > 1:
        chosen = average(states, load_text(a.out).eval())
    else:
        chosen = TextEncoder(*states[0]["table.weight"].shape, states[0]["outer.weight"].shape[0]).eval()
        chosen.load_state_dict(states[0])
    difference, size = replace_text(chosen, a.out, a.golden)
    print(f"largest difference {difference:.1e}; {size / 1e6:.2f} MB; held-out requests understood {understood(rounded(chosen))}")
