import json
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from safetensors.torch import load_file


def test_what_was_trained_is_exported_from_the_command_line(cog, launch, weights, trained, fixtures, tmp_path, capsys):
    """Text-to-video weights, widened, trained, merged and exported: every command of the recipe in its order."""
    run, _ = trained("2b")
    launch("embeddings.py", "--weights", weights("2b"), "--out", tmp_path / "embeddings.safetensors", "--length", 16, "--precision", "fp32")
    launch("export.py", "--weights", weights("2b"), "--run", run, "--out", tmp_path / "direct", "--precision", "fp32", "--no-text", "--embeddings", tmp_path / "embeddings.safetensors")
    launch("merge.py", "--weights", weights("2b"), "--run", run, "--out", tmp_path / "merged", "--precision", "fp32")
    assert "transformer: largest difference to PyTorch" in capsys.readouterr().out
    manifest = json.loads((tmp_path / "direct/manifest.json").read_text())
    assert manifest["transformer"]["inChannels"] == 8 and manifest["canvas"] == {"width": 48, "height": 32, "fixed": True} and manifest["id"] == "direct"
    for file in manifest["files"].values():
        assert (tmp_path / "direct" / file["path"]).stat().st_size == file["bytes"]
    assert not {"text_encoder", "tokenizer"} & set(manifest["files"]) and "embeddings" in manifest["files"]
    # The merged folder is what the graph computes, and what diffusers computes with the adapter on top of the weights.
    merged = cog.configurations.load_pipeline(tmp_path / "merged", text=False).transformer
    inputs = cog.export.transformer_inputs(merged, 9, 4, 6, seed=4)
    with torch.no_grad():
        wanted = cog.export.velocity(merged, *inputs.values())
    result = cog.export.session(tmp_path / "direct/transformer.onnx").run(None, {name: value.numpy() for name, value in inputs.items()})[0]
    assert np.abs(result - wanted.numpy()).max() < 1e-4
    embedded = load_file(tmp_path / "direct/embeddings.safetensors")
    assert set(embedded) == {"super-resolution", "deblurring", "low-light", "empty"} and embedded["empty"].shape == (16, 32)
    with pytest.raises(FileExistsError):
        launch("merge.py", "--weights", weights("2b"), "--run", run, "--out", tmp_path / "merged")


def test_adapters_load_in_diffusers_and_act_as_merged(cog, weights, trained):
    run, _ = trained("5b-i2v")
    pipeline = cog.configurations.load_pipeline(weights("5b-i2v"), text=True)
    inputs = cog.export.transformer_inputs(pipeline.transformer, 9, 4, 6, seed=5)
    merged = cog.configurations.clone(pipeline.transformer)
    assert cog.lora.merge(merged, run / "adapter.safetensors") == 8
    pipeline.load_lora_weights(str(run), weight_name="adapter.safetensors")
    with torch.no_grad():
        one, other = (cog.export.velocity(transformer, *inputs.values()) for transformer in (merged, pipeline.transformer))
        pipeline.unload_lora_weights()
        plain = cog.export.velocity(pipeline.transformer, *inputs.values())
    assert (one - other).abs().max() < 1e-4 < (one - plain).abs().max()


def test_plain_text_to_video_weights_are_refused(cog, weights, tmp_path):
    with pytest.raises(ValueError, match="cannot restore a picture"):
        cog.export.export(cog.configurations.load_pipeline(weights("5b")), tmp_path / "out", "x", "x", log=lambda text: None)


@pytest.mark.parametrize("variant", ["2b", "5b", "1.5-5b-i2v"])
@pytest.mark.parametrize("free", [True, False])
def test_sizes_other_than_the_traced_one(cog, tmp_path, variant, free):
    """Large networks are traced at a small size: the graph has to hold for the size that it was made for."""
    if free and variant == "2b":
        with pytest.raises(ValueError, match="fix its size"):
            cog.export.write_transformer(cog.configurations.tiny_pipeline(variant).transformer, 9, 8, 10, tmp_path, "fp32", free=True)
        return
    transformer = cog.configurations.tiny_pipeline(variant).transformer
    found = cog.export.write_transformer(transformer, 17, 8, 10, tmp_path, "fp32", fused=not free, free=free)
    assert found["transformer"] < 1e-4
    shape = onnx.load(str(tmp_path / "transformer.onnx"), load_external_data=False).graph.input[0].type.tensor_type.shape
    assert [d.dim_value or d.dim_param for d in shape.dim][3:] == (["h", "w"] if free else [8, 10])


def test_half_precision_stays_near(cog, tmp_path):
    pipeline = cog.configurations.tiny_pipeline("5b-i2v")
    found = cog.export.write_transformer(pipeline.transformer, 9, 4, 6, tmp_path, "fp16") | cog.export.write_text_encoder(pipeline.text_encoder, 16, tmp_path, "fp16")
    assert max(found.values()) < 2e-2
    graph = onnx.load(str(tmp_path / "transformer.onnx"), load_external_data=False).graph
    # The borders are single precision, the weights are not.
    assert {entry.type.tensor_type.elem_type for entry in (*graph.input, *graph.output)} == {onnx.TensorProto.FLOAT, onnx.TensorProto.INT64}
    assert all(tensor.data_type == onnx.TensorProto.FLOAT16 for tensor in graph.initializer if len(tensor.dims) > 1 and "pos_embedding" not in tensor.name)


def test_large_activations_of_the_text_encoder_do_not_overflow(cog, tmp_path):
    """Behind T5's feed-forward layers values exceed 65504, the largest number of half precision, in the published weights."""
    text_encoder = cog.configurations.tiny_pipeline("5b-i2v").text_encoder
    with torch.no_grad():
        for block in text_encoder.encoder.block:
            block.layer[-1].DenseReluDense.wo.weight.mul_(3e4)
    reference = cog.configurations.clone(text_encoder)
    ids = {"input_ids": torch.arange(16)[None]}
    largest = max(state.abs().max() for state in reference(**ids, output_hidden_states=True).hidden_states[:-1])
    assert largest > 65504
    cog.export.write_text_encoder(text_encoder, 16, tmp_path, "fp16", check=False)
    assert cog.export.difference(tmp_path / "text_encoder.onnx", reference, cog.export.embed_text, ids) < 2e-2


def test_the_published_tokenizer_is_a_sentencepiece_file(cog, tmp_path):
    """As downloads have it: spiece.model without tokenizer.json. What is exported gives sentencepiece's own tokens."""
    import sentencepiece

    (tmp_path / "corpus.txt").write_text("\n".join(cog.configurations._corpus()) + "\n")
    folder = tmp_path / "tokenizer"
    folder.mkdir()
    sentencepiece.SentencePieceTrainer.train(
        input=str(tmp_path / "corpus.txt"), model_prefix=str(folder / "spiece"), vocab_size=120, pad_id=0, eos_id=1, unk_id=2, bos_id=-1, hard_vocab_limit=False, minloglevel=2, num_threads=1,
    )
    (folder / "spiece.vocab").unlink()
    (folder / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "T5Tokenizer", "eos_token": "</s>", "unk_token": "<unk>", "pad_token": "<pad>", "extra_ids": 0, "model_max_length": 226}))
    tokenizer = cog.embeddings.load_tokenizer(tmp_path)
    own = sentencepiece.SentencePieceProcessor(model_file=str(folder / "spiece.model"))
    for prompt in (*cog.configurations.UNIFORM.values(), "A brick wall (1 of 10)", ""):
        wanted = [*own.encode(prompt), 1]
        ids = cog.export.tokens_of(tokenizer, [prompt], 64)[0].tolist()
        assert ids == wanted + [0] * (64 - len(wanted))
    cog.export.write_tokenizer(tokenizer, tmp_path / "out")
    from tokenizers import Tokenizer

    read = Tokenizer.from_file(str(tmp_path / "out/tokenizer.json"))
    assert read.encode("Remove the blur", add_special_tokens=False).ids == own.encode("Remove the blur")


def test_learned_positions(cog):
    """diffusers takes sines at other lengths than a model's own; the learned ones of the first frames are kept where that is asked for."""
    own = cog.configurations.tiny_pipeline("5b-i2v").transformer
    learned = own.patch_embed.pos_embedding.clone()
    assert torch.equal(cog.export.settle_positions(own, 9, 4, 6).patch_embed.pos_embedding, learned)
    from diffusers import CogVideoXTransformer3DModel

    config = {**cog.configurations.transformer_config("5b-i2v", tiny=True), "sample_frames": 49}
    longer = CogVideoXTransformer3DModel(**config).eval()
    with torch.no_grad():
        longer.patch_embed.pos_embedding.normal_()
        inputs = cog.export.transformer_inputs(longer, 9, 4, 6)
        before = cog.export.velocity(longer, *inputs.values())
        sliced, reference = (cog.export.settle_positions(cog.configurations.clone(longer), 9, 4, 6, kind) for kind in ("slice", "reference"))
        assert torch.allclose(cog.export.velocity(reference, *inputs.values()), before, atol=1e-5)
        assert torch.equal(sliced.patch_embed.pos_embedding, longer.patch_embed.pos_embedding[:, : 16 + 18])
        assert (cog.export.velocity(sliced, *inputs.values()) - before).abs().max() > 1e-3
    with pytest.raises(ValueError, match="48x32 pixels"):
        cog.export.settle_positions(longer, 9, 6, 6)


def test_seventeen_frames_decode_in_chunks_as_the_reference_does(cog, tmp_path):
    vae = cog.configurations.tiny_pipeline("5b-i2v").vae
    shards = cog.graphs.Shards(tmp_path, "weights")
    latents = {"latents": torch.randn(1, 4, 5, 2, 3)}
    cog.graphs.write_graph(vae, cog.export.decode, latents, ["sample"], tmp_path / "decoder.onnx", shards)
    shards.close()
    assert cog.export.difference(tmp_path / "decoder.onnx", vae, cog.export.decode, latents) < 1e-4
    assert cog.export.decode(vae, latents["latents"]).shape == (1, 3, 17, 16, 24)


def test_weights_are_split_into_files(cog, tmp_path):
    transformer = cog.configurations.tiny_pipeline("5b").transformer
    inputs = cog.export.transformer_inputs(transformer, 9, 4, 6)
    transformer.set_attn_processor(cog.graphs.ExportedAttention(False))
    shards = cog.graphs.Shards(tmp_path, "weights", limit=50_000)
    cog.graphs.write_graph(transformer, cog.export.velocity, inputs, ["velocity"], tmp_path / "transformer.onnx", shards)
    shards.close()
    assert len(shards.paths) > 2 and all(path.stat().st_size <= 50_000 for path in shards.paths)
    assert cog.export.difference(tmp_path / "transformer.onnx", transformer, cog.export.velocity, inputs) < 1e-4
    names = {tensor.name for tensor in onnx.load(str(tmp_path / "transformer.onnx"), load_external_data=False).graph.initializer}
    # The library merges LoRA factors into matrices of these names.
    assert {f"transformer_blocks.{i}.attn1.{layer}.weight_t" for i in (0, 1) for layer in ("to_q", "to_k", "to_v", "to_out.0")} <= names


def test_a_model_is_never_overwritten(cog, model):
    with pytest.raises(FileExistsError, match="name another folder"):
        cog.export.export(cog.configurations.tiny_pipeline("5b-i2v"), model("5b-i2v"), "x", "x")


def test_benchmark_measures_or_says_why_not(cog, launch, tmp_path, capsys):
    assert (cog.benchmark.missing_gpu() is None) == torch.cuda.is_available()
    if not torch.cuda.is_available():
        with pytest.raises(SystemExit, match="There is no GPU .* Nothing was measured"):
            launch("benchmark.py", "--variant", "5b-i2v")
    figures = cog.benchmark.measure("1.5-5b-i2v", 1, 9, (32, 48), 50, True, 1, tmp_path / "networks", True)
    step, clip = figures["seconds_a_transformer_run"], figures["seconds_a_clip"]
    assert step["pytorch"] > 0 and step["CPUExecutionProvider"] > 0
    assert clip["CPUExecutionProvider"] >= 100 * step["CPUExecutionProvider"]
    assert Path(tmp_path / "networks/vae/vae_decoder.onnx").exists()


def test_colours_of_latents_are_those_of_the_decoder(cog):
    """A linear autoencoder is found exactly; of the tiny random one the map says more than the mean colour."""
    from types import SimpleNamespace

    random = torch.Generator().manual_seed(1)
    weights, constants = 0.3 * torch.randn(3, 4, generator=random), torch.tensor([0.1, -0.2, 0.05])

    class Linear(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.unused = torch.nn.Parameter(torch.zeros(1))

        def encode(self, clip):
            seen = torch.nn.functional.avg_pool3d(clip[:, :, 1:], (4, 8, 8))
            rest = torch.nn.functional.avg_pool2d(clip[:, :, 0], 8)[:, :, None]
            colours = torch.cat([rest, seen], 2)
            mean = torch.cat([colours, colours[:, :1] * colours[:, 1:2]], 1)
            return SimpleNamespace(latent_dist=SimpleNamespace(mean=mean))

        def decode(self, latents):
            colours = torch.einsum("oc,bcthw->bothw", weights, latents) + constants.view(3, 1, 1, 1)
            frames = torch.cat([colours[:, :, :1], colours[:, :, 1:].repeat_interleave(4, 2)], 2)
            return SimpleNamespace(sample=frames.repeat_interleave(8, 3).repeat_interleave(8, 4))

    found, decibels = cog.export.colours_of_latents(Linear())
    assert np.allclose([found[name] for name in ("red", "green", "blue")], torch.cat([weights, constants[:, None]], 1), atol=1e-4) and decibels > 80
    vae = cog.configurations.tiny_pipeline("5b-i2v").vae
    original, constants = torch.linalg.lstsq, []

    def without_channels(columns, colours):
        constants.append(original(columns[:, -1:], colours).solution)
        return SimpleNamespace(solution=torch.cat([torch.zeros(columns.shape[1] - 1, 3, dtype=columns.dtype), constants[-1]]))

    _, decibels = cog.export.colours_of_latents(vae, side=64)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch.linalg, "lstsq", without_channels)
        _, of_the_mean = cog.export.colours_of_latents(vae, side=64)
    assert len(constants) == 1 and decibels > of_the_mean + 0.5


def test_a_folder_without_pictures_cannot_be_fitted(cog, tmp_path):
    with pytest.raises(ValueError, match="two are needed"):
        cog.export.colours_of_latents(cog.configurations.tiny_pipeline("5b-i2v").vae, tmp_path)
