"""A new text encoder into an exported model: text.onnx, its entry in the manifest, and the golden cases; the picture networks stay.

    python export_text.py --encoder runs/text.pt --out ../../compact --golden ../../../test/fixtures/text-encoder.json
"""

import argparse
import hashlib
import json
import tempfile
from pathlib import Path

import numpy as np
import torch

from export import golden, golden_texts, graph_of, rounded, session
from settings import replace_file, write_text
from text_encoder import TextEncoder, hash_ids, understood


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


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--encoder", required=True)
    parser.add_argument("--out", required=True)
    parser.add_argument("--golden")
    a = parser.parse_args()
    torch.set_num_threads(1)
    state = torch.load(a.encoder, weights_only=False)["model"]
    chosen = TextEncoder(*state["table.weight"].shape, state["outer.weight"].shape[0])
    chosen.load_state_dict(state)
    difference, size = replace_text(chosen.eval(), a.out, a.golden)
    print(f"largest difference {difference:.1e}; {size / 1e6:.2f} MB; held-out requests understood {understood(rounded(chosen))}")
