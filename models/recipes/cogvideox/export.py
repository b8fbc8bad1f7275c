"""A pipeline folder of diffusers -> the folder of ONNX files and the manifest that the TypeScript library runs.

    python export.py --weights CogVideoX-5b-I2V --run runs/all --out MODELS/cogvideox-5b-i2v
    python export.py --weights runs/merged --out MODELS/mine --no-text          # no text encoder: 9 GB less, the uniform sentences only
    python export.py --weights runs/tiny-5b-i2v --out runs/exported --precision fp32

--run merges what train.py has trained. The transformer and the text encoder are stored in half precision (the borders of their graphs are single), the autoencoder in single. Weights lie beside the
graphs in files of about 1 GiB. Every part is run by onnxruntime and by PyTorch on the same inputs, and the largest difference has to stay below a limit (1e-4 in single precision).
Embeddings of the uniform sentences and of the empty prompt are kept, so that the text encoder is optional.
"""

import argparse
import contextlib
import copy
import hashlib
import json
import shutil
import tempfile
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from diffusers.models.attention_processor import CogVideoXAttnProcessor2_0
from diffusers.models.embeddings import get_3d_rotary_pos_embed
from diffusers.pipelines.cogvideo.pipeline_cogvideox_image2video import get_resize_crop_region_for_grid
from PIL import Image
from safetensors.torch import load_file

import lora
from configurations import SNR_SHIFT, UNIFORM, load_pipeline, variant_of
from graphs import ExportedAttention, Shards, write_graph
from settings import load_settings, replace_file, save_tensors, write_text

LIMITS = {"fp32": 1e-4, "fp16": 2e-2}  # of the largest difference, relative to the reference's root mean square where that is above 1
OFS = 2.0
PICTURES = Path(__file__).resolve().parents[3] / "notebooks/clean"  # photographs that colours of latents are fitted on
SMALL = (4, 6)  # rows and columns of latents that the transformer is traced with


# Positions


def latent_frames(transformer, frames):
    """Latent frames of a clip: those of the autoencoder, filled up to whole tokens."""
    count, patch = (frames - 1) // 4 + 1, transformer.config.patch_size_t or 1
    return count + -count % patch


def rotary(transformer, frames, height, width, grid="inference"):
    """(cos, sin) [tokens, head width] for latent frames, rows and columns: the pipeline's own grid, or the plain one of zai-org's trainer; None without rotary positions."""
    config = transformer.config
    if not config.use_rotary_positional_embeddings:
        return None
    p, size = config.patch_size, (height // config.patch_size, width // config.patch_size)
    base = (config.sample_height // p, config.sample_width // p)
    if config.patch_size_t is not None:
        return get_3d_rotary_pos_embed(config.attention_head_dim, None, size, -(-frames // config.patch_size_t), grid_type="slice", max_size=base if grid == "inference" else size)
    if grid == "arange":
        return get_3d_rotary_pos_embed(config.attention_head_dim, None, size, frames, grid_type="slice", max_size=size)
    return get_3d_rotary_pos_embed(config.attention_head_dim, get_resize_crop_region_for_grid(size, base[1], base[0]), size, frames)


@torch.no_grad()
def settle_positions(transformer, frames, height, width, learned="reference"):
    """Positions that are added inside the network, computed once for a clip's size (latents) instead of at every call.

    diffusers takes learned positions only for clips of the very length that they were made for and sines for others; "slice" keeps the learned ones of the first frames.
    """
    embed = transformer.patch_embed
    if not hasattr(embed, "pos_embedding"):
        return transformer
    if embed.use_learned_positional_embeddings and (embed.sample_height, embed.sample_width) != (height, width):
        raise ValueError(f"these weights have learned positions for {8 * embed.sample_width}x{8 * embed.sample_height} pixels, and take no other size")
    count = latent_frames(transformer, frames)
    length = 4 * (count - 1) + 1
    if (embed.sample_frames, embed.sample_height, embed.sample_width) != (length, height, width):
        tokens = embed.max_text_seq_length + count * (height // embed.patch_size) * (width // embed.patch_size)
        if learned == "slice" and embed.use_learned_positional_embeddings:
            positions = embed.pos_embedding[:, :tokens].clone()
        else:
            positions = embed._get_positional_embeddings(height, width, length).to(embed.pos_embedding)
        embed.register_buffer("pos_embedding", positions, persistent=embed.use_learned_positional_embeddings)
        embed.sample_frames, embed.sample_height, embed.sample_width = length, height, width
    return transformer


# The parts as functions of a module and named inputs


def encode(vae, sample):
    """[1, 3, 1, H, W] in [-1, 1] -> moments [1, 2 C, 1, H/8, W/8]: mean, then logarithm of the variance, not clamped."""
    return vae._encode(sample)


def decode(vae, latents):
    """[1, C, T, h, w], divided by the scale -> [1, 3, 4 (T - 1) + 1, 8 h, 8 w]."""
    return vae._decode(latents).sample


def embed_text(text_encoder, input_ids):
    """[1, L] -> [1, L, D]; padding is attended to, as the reference does."""
    return text_encoder(input_ids=input_ids).last_hidden_state.float()


def velocity(transformer, hidden_states, encoder_hidden_states, timestep, *rest):
    """hidden_states [1, T, 2 C, h, w], noise first; rest: rope_cos and rope_sin with rotary positions, ofs with 1.5 -> [1, T, C, h, w]."""
    config, dtype = transformer.config, transformer.proj_out.weight.dtype
    rest = list(rest)
    rope = (rest.pop(0), rest.pop(0)) if config.use_rotary_positional_embeddings else None
    ofs = rest.pop(0) if config.ofs_embed_dim else None
    return transformer(hidden_states.to(dtype), encoder_hidden_states.to(dtype), timestep, ofs=ofs, image_rotary_emb=rope, return_dict=False)[0].float()


@contextlib.contextmanager
def single_frame(vae):
    """Without the layers that one frame passes as it is: averaging over time goes by way of an empty tensor, and repetition over time asks for the number of frames at run time."""
    blocks = (*vae.encoder.down_blocks, *vae.decoder.up_blocks)
    layers = [layer for block in blocks for layer in getattr(block, "downsamplers", None) or getattr(block, "upsamplers", None) or () if layer.compress_time]
    for layer in layers:
        layer.compress_time = False
    try:
        yield
    finally:
        for layer in layers:
            layer.compress_time = True


def transformer_inputs(transformer, frames, height, width, seed=0):
    """Random inputs by the names of the graph, for latents of height x width."""
    random, config = torch.Generator().manual_seed(seed), transformer.config
    count = latent_frames(transformer, frames)
    inputs = {
        "hidden_states": torch.randn(1, count, config.in_channels, height, width, generator=random),
        "encoder_hidden_states": torch.randn(1, config.max_text_seq_length, config.text_embed_dim, generator=random),
        "timestep": torch.tensor([499]),
    }
    rope = rotary(transformer, count, height, width)
    if rope:
        inputs["rope_cos"], inputs["rope_sin"] = (table.float() for table in rope)
    if config.ofs_embed_dim:
        inputs["ofs"] = torch.tensor([OFS])
    return inputs


# Checks


def session(path, providers=("CPUExecutionProvider",)):
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # threads that spin slow a shared machine down
    return onnxruntime.InferenceSession(str(path), options, providers=list(providers))


@torch.no_grad()
def difference(path, module, function, inputs):
    """Largest difference of onnxruntime to PyTorch, relative to the reference's root mean square where that is above 1."""
    reference = function(module, *inputs.values()).float().numpy()
    result = session(path).run(None, {name: value.numpy() for name, value in inputs.items()})[0]
    if result.shape != reference.shape:
        raise ValueError(f"{path.name} gives {result.shape}, PyTorch {reference.shape}")
    return float(np.abs(result - reference).max() / max(1.0, np.sqrt(np.square(reference).mean())))


def checked(path, module, function, inputs, precision):
    found = difference(path, module, function, inputs)
    if not found < LIMITS[precision]:
        raise ValueError(f"{path.name} differs from PyTorch by {found:.2e}; {LIMITS[precision]:g} is allowed in {precision}")
    return found


# The parts


@contextlib.contextmanager
def small_positions(transformer, frames):
    """Added positions cut to the small size of tracing; gives {name: the real ones}."""
    embed, name = transformer.patch_embed, "pos_embedding"
    if not hasattr(embed, name):
        yield {}
        return
    kept = {key: getattr(embed, key) for key in (name, "sample_height", "sample_width")}
    tokens = embed.max_text_seq_length + latent_frames(transformer, frames) * (SMALL[0] // embed.patch_size) * (SMALL[1] // embed.patch_size)
    persistent = embed.use_learned_positional_embeddings
    # Only what a state dict names becomes an initialiser, which can be replaced; anything else is a constant of the graph.
    embed.register_buffer(name, kept[name][:, :tokens], persistent=True)
    embed.sample_height, embed.sample_width = SMALL
    try:
        yield {f"patch_embed.{name}": kept[name]}
    finally:
        embed.register_buffer(name, kept.pop(name), persistent=persistent)
        for key, value in kept.items():
            setattr(embed, key, value)


def colours_of_latents(vae, pictures=PICTURES, side=192):
    """({red, green, blue: a weight for each channel of a latent and a constant}, dB): the linear map nearest to what the decoder makes of latents.

    Colours are the decoder's own, averaged over what a latent stands for (8 x 8 pixels, four frames), for clips that go from a picture's blurred version to itself. The last picture is held out:
    dB are the map's peak signal-to-noise ratio there. The first frame of a clip has latents of its own kind and is always shown as it came, so it is not fitted.
    """
    device, vae = next(vae.parameters()).device, copy.deepcopy(vae).float().eval()
    rows = []
    for path in sorted(Path(pictures).glob("*.png")):
        picture = Image.open(path).convert("RGB")
        left, top = ((length - side) // 2 for length in picture.size)
        sharp = torch.from_numpy(np.array(picture.crop((left, top, left + side, top + side)))).permute(2, 0, 1).float() / 127.5 - 1
        blurred = torch.nn.functional.avg_pool2d(sharp[None], 9, 1, 4, count_include_pad=False)[0]
        clip = torch.stack([blurred + (sharp - blurred) * k / 8 for k in range(9)], 1)[None].to(device)
        with torch.no_grad():
            latents = vae.encode(clip).latent_dist.mean
            colours = vae.decode(latents).sample
        means = torch.nn.functional.avg_pool3d(colours[:, :, 1:], (4, 8, 8))
        rows.append(tuple(x[0].flatten(1).T.double().cpu() for x in (latents[:, :, 1:], means)))
    if len(rows) < 2:
        raise ValueError(f"{pictures} holds {len(rows)} pictures (.png); two are needed, one of them to check the other's fit")

    def with_one(latents):
        return torch.cat([latents, torch.ones(len(latents), 1, dtype=latents.dtype)], 1)

    latents, colours = (torch.cat(part) for part in zip(*rows[:-1]))
    weights = torch.linalg.lstsq(with_one(latents), colours).solution
    held, wanted = rows[-1]
    error = (with_one(held) @ weights - wanted).square().mean()
    return {name: [round(float(w), 5) for w in column] for name, column in zip(("red", "green", "blue"), weights.T)}, float(10 * torch.log10(4 / error))


def write_vae(vae, frames, out, check=True):
    """vae_encoder, vae_decoder and vae_still (the decoder for one frame, on the same weights), for pictures of any size in multiples of 8."""
    vae = copy.deepcopy(vae).float().eval()
    channels, found = vae.config.latent_channels, {}
    plane = {3: "height", 4: "width"}
    count = (frames - 1) // 4 + 1
    # Sides that differ from each other and from every number of channels and frames: a size taken for another one shows in the check.
    side = (40, 56)
    picture = torch.rand(1, 3, 1, *side, generator=torch.Generator().manual_seed(1)) * 2 - 1
    latents = torch.randn(1, channels, count, side[0] // 8, side[1] // 8, generator=torch.Generator().manual_seed(2))
    shards = Shards(out, "vae_encoder.weights")
    with single_frame(vae):
        write_graph(vae, encode, {"sample": picture}, ["moments"], out / "vae_encoder.onnx", shards, {"sample": plane, "moments": {3: "h", 4: "w"}})
    shards.close()
    shards = Shards(out, "vae_decoder.weights")
    for name, some, context in (("vae_decoder", latents, contextlib.nullcontext()), ("vae_still", latents[:, :, :1], single_frame(vae))):
        with context:
            write_graph(vae, decode, {"latents": some}, ["sample"], out / f"{name}.onnx", shards, {"latents": {3: "h", 4: "w"}, "sample": plane})
    shards.close()
    if check:
        other = {"sample": torch.rand(1, 3, 1, 48, 32) * 2 - 1, "latents": torch.randn(1, channels, count, 3, 4)}
        found["vae_encoder"] = max(checked(out / "vae_encoder.onnx", vae, encode, {"sample": x}, "fp32") for x in (picture, other["sample"]))
        found["vae_decoder"] = max(checked(out / "vae_decoder.onnx", vae, decode, {"latents": x}, "fp32") for x in (latents, other["latents"]))
        found["vae_still"] = checked(out / "vae_still.onnx", vae, decode, {"latents": latents[:, :, :1]}, "fp32")
    return found


def write_transformer(transformer, frames, height, width, out, precision="fp16", fused=True, free=False, check=True, learned="reference"):
    """The transformer for clips of a size; free: for other sizes too, which rotary positions alone allow. Sizes are those of latents."""
    transformer = settle_positions(transformer.eval(), frames, height, width, learned)
    if free and hasattr(transformer.patch_embed, "pos_embedding"):
        raise ValueError("positions that are added inside the network fix its size")
    transformer = transformer.to({"fp16": torch.float16, "fp32": torch.float32}[precision])
    transformer.set_attn_processor(ExportedAttention(fused))
    # Traced at a small size, because tracing computes; declared for the one that is wanted.
    axes = {"hidden_states": {3: "h", 4: "w"}, "rope_cos": {0: "tokens"}, "rope_sin": {0: "tokens"}, "velocity": {3: "h", 4: "w"}}
    inputs = transformer_inputs(transformer, frames, height, width)
    sizes = {name: value.shape for name, value in inputs.items()} | {"velocity": (1, inputs["hidden_states"].shape[1], transformer.config.out_channels, height, width)}
    shards = Shards(out, "transformer.weights")
    with small_positions(transformer, frames) as positions:
        operators = write_graph(
            transformer, velocity, transformer_inputs(transformer, frames, *SMALL), ["velocity"], out / "transformer.onnx", shards, axes, None if free else sizes, positions,
        )
    shards.close()
    if unwanted := operators & {"ScatterND", "ScatterElements", "NonZero", "If", "Loop"}:
        raise ValueError(f"the transformer's graph has {', '.join(sorted(unwanted))}, which the export is to avoid")
    if not check:
        return {}
    reference = copy.deepcopy(transformer).float()
    reference.set_attn_processor(CogVideoXAttnProcessor2_0())  # the check holds the export against diffusers, not against itself
    found = checked(out / "transformer.onnx", reference, velocity, inputs, precision)
    if free:
        found = max(found, checked(out / "transformer.onnx", reference, velocity, transformer_inputs(transformer, frames, height + 4, width - 2, seed=1), precision))
    return {"transformer": found}


class _SingleLinear(torch.nn.Module):
    """A layer whose weights are stored in half precision and whose products are single: T5's activations overflow half precision behind it."""

    def __init__(self, layer):
        super().__init__()
        self.weight = layer.weight

    def forward(self, x):
        return torch.nn.functional.linear(x.float(), self.weight.float())


def _guarded(text_encoder):
    """transformers keeps the same layers in single precision, which would be stored as such."""
    for module in list(text_encoder.modules()):
        if hasattr(module, "wo"):
            module.wo = _SingleLinear(module.wo)
    return text_encoder


def write_text_encoder(text_encoder, length, out, precision="fp16", check=True):
    text_encoder = text_encoder.eval()
    reference = copy.deepcopy(text_encoder).float() if check else None
    if precision == "fp16":
        text_encoder = _guarded(text_encoder.half())
    ids = torch.randint(0, text_encoder.config.vocab_size, (1, length), generator=torch.Generator().manual_seed(3))
    shards = Shards(out, "text_encoder.weights")
    write_graph(text_encoder, embed_text, {"input_ids": ids}, ["prompt_embeds"], out / "text_encoder.onnx", shards)
    shards.close()
    return {"text_encoder": checked(out / "text_encoder.onnx", reference, embed_text, {"input_ids": ids}, precision)} if check else {}


def tokens_of(tokenizer, prompts, length):
    return tokenizer(list(prompts), padding="max_length", max_length=length, truncation=True, add_special_tokens=True, return_tensors="pt").input_ids


@torch.no_grad()
def embeddings_of(tokenizer, text_encoder, prompts, length):
    """{name: [L, D]} for {name: prompt}, as the pipeline embeds them."""
    device = text_encoder.device
    return {name: text_encoder(tokens_of(tokenizer, [prompt], length).to(device))[0][0].float().cpu() for name, prompt in prompts.items()}


def write_embeddings(embeddings, out, precision="fp16"):
    save_tensors(Path(out) / "embeddings.safetensors", {name: value.half() if precision == "fp16" else value for name, value in embeddings.items()})


def write_tokenizer(tokenizer, out):
    # What it was last called with would be saved as its own settings.
    tokenizer.backend_tokenizer.no_padding()
    tokenizer.backend_tokenizer.no_truncation()
    with tempfile.TemporaryDirectory() as folder:
        tokenizer.save_pretrained(folder)
        for name in ("tokenizer.json", "tokenizer_config.json"):
            replace_file(Path(out) / name, lambda p, name=name: p.write_bytes((Path(folder) / name).read_bytes()))


def tile_of(vae):
    """Tiles as diffusers cuts them, in pixels; a quarter shared where its own overlap is no whole number of latents."""

    def overlap(side, share):
        return share if side - int(side * share) == 8 * int(side // 8 * (1 - share)) else 0.25

    height, width = vae.tile_sample_min_height, vae.tile_sample_min_width
    return {"height": height, "width": width, "overlapHeight": overlap(height, vae.tile_overlap_factor_height), "overlapWidth": overlap(width, vae.tile_overlap_factor_width)}


def manifest(pipeline, out, identity, name, canvas, frames, precision, free=False, rope_grid="inference", licence="Apache-2.0", parameters=None, colours=None):
    """manifest.json: what the files are, and every number that the library needs to run them. canvas: (height, width) in pixels."""
    transformer, vae, schedule = pipeline.transformer.config, pipeline.vae.config, pipeline.scheduler.config
    variant, out = variant_of(pipeline.transformer), Path(out)
    positions = "sincos" if variant == "2b" else "rope+learned" if variant == "5b-i2v" else "rope"
    grid = "arange" if rope_grid == "arange" else "slice" if transformer.patch_size_t is not None else "resize-crop"
    files = {}
    for path in sorted(out.iterdir()):
        if path.name == "manifest.json" or path.name.startswith("."):
            continue
        digest = hashlib.sha256()
        with open(path, "rb") as file:
            while block := file.read(2**24):
                digest.update(block)
        key = path.name.removesuffix(".onnx").removesuffix(".json").removesuffix(".safetensors")
        files[key] = {"path": path.name, "sha256": digest.hexdigest(), "bytes": path.stat().st_size}
    dpm = "DPM" in pipeline.scheduler.__class__.__name__
    contents = {
        "schema": 1, "id": identity, "name": name, "version": "1", "license": licence, "kind": "cogvideox", "tasks": list(UNIFORM), "files": files, "frames": frames,
        "canvas": {"width": canvas[1], "height": canvas[0], "fixed": not free}, "resize": "pad",
        "text": {"length": transformer.max_text_seq_length, "width": transformer.text_embed_dim},
        "transformer": {
            "variant": variant, "layers": transformer.num_layers, "heads": transformer.num_attention_heads, "headDim": transformer.attention_head_dim, "inChannels": transformer.in_channels,
            "outChannels": transformer.out_channels, "patch": transformer.patch_size, "patchT": transformer.patch_size_t or 1, "positions": positions, "ropeGrid": grid,
            "ropeBase": {"height": transformer.sample_height // transformer.patch_size, "width": transformer.sample_width // transformer.patch_size},
            "ofs": OFS if transformer.ofs_embed_dim else False,
        },
        "vae": {
            "channels": vae.latent_channels, "scale": vae.scaling_factor, "invertImageScale": vae.invert_scale_latents, "fullChannels": vae.block_out_channels[0],
            "tile": tile_of(pipeline.vae), **({"preview": colours} if colours else {}),
        },
        "scheduler": {"kind": "dpm" if dpm else "ddim", "snrShift": schedule.get("snr_shift_scale", SNR_SHIFT[variant]), "steps": 50},
        "guidance": {"kind": "oscillating" if dpm else "fixed", "scale": 6},
        "parameters": parameters or sum(p.numel() for p in pipeline.transformer.parameters()), "precision": precision, "uniformPrompts": UNIFORM,
    }
    write_text(out / "manifest.json", json.dumps(contents, indent=2, ensure_ascii=False) + "\n")
    return contents


def export(pipeline, out, identity, name, frames=9, canvas=(480, 720), precision="fp16", text=True, embeddings=None, fused=True, free=False, check=True, rope_grid="inference", learned="reference", vae_from=None, log=print):
    """All parts of a pipeline and the manifest. Returns the largest difference to PyTorch of every part. The pipeline's networks are changed to the precision asked for.

    vae_from: a folder that this wrote for the same autoencoder, whose files are taken."""
    out = Path(out)
    if (out / "manifest.json").exists():
        raise FileExistsError(f"{out} holds a model already; name another folder")
    out.mkdir(parents=True, exist_ok=True)
    transformer = pipeline.transformer
    if transformer.config.in_channels != 2 * transformer.config.out_channels:
        raise ValueError("plain text-to-video weights cannot restore a picture: train them with train.py, which widens their first layer, and export with --run")
    length, parameters = transformer.config.max_text_seq_length, sum(p.numel() for p in transformer.parameters())
    if embeddings is None:
        if pipeline.text_encoder is None:
            raise ValueError("without the text encoder, embeddings are needed: make them with embeddings.py and give --embeddings")
        embeddings = embeddings_of(pipeline.tokenizer, pipeline.text_encoder, {**UNIFORM, "empty": ""}, length)
    write_embeddings(embeddings, out, precision)
    log("embeddings written")
    found = {}
    if vae_from:
        for path in Path(vae_from).glob("vae_*"):
            shutil.copy(path, out)
        colours = json.loads((Path(vae_from) / "manifest.json").read_text())["vae"]["preview"]
    else:
        found = write_vae(pipeline.vae, frames, out, check)
        colours, decibels = colours_of_latents(pipeline.vae)
        log(f"colours of latents, for estimates on the way: {decibels:.1f} dB of the decoder's own averages")
    log(f"autoencoder: {found}")
    found |= write_transformer(transformer, frames, canvas[0] // 8, canvas[1] // 8, out, precision, fused, free, check, learned)
    log(f"transformer: {found.get('transformer', 'not checked')}")
    if text and pipeline.text_encoder is not None:
        found |= write_text_encoder(pipeline.text_encoder, length, out, precision, check)
        write_tokenizer(pipeline.tokenizer, out)
        log(f"text encoder: {found.get('text_encoder', 'not checked')}")
    manifest(pipeline, out, identity, name, canvas, frames, precision, free, rope_grid, parameters=parameters, colours=colours)
    return found


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weights", required=True, help="folder in diffusers' format")
    parser.add_argument("--run", help="folder of train.py, merged into the transformer first")
    parser.add_argument("--out", required=True)
    parser.add_argument("--id", help="of the model; the name of the folder unless said otherwise")
    parser.add_argument("--name", help="for people")
    parser.add_argument("--frames", type=int, default=9)
    parser.add_argument("--height", type=int, help="pixels; what the weights were made for unless said otherwise")
    parser.add_argument("--width", type=int)
    parser.add_argument("--precision", choices=("fp16", "fp32"), default="fp16")
    parser.add_argument("--no-text", action="store_true", help="leave the text encoder out")
    parser.add_argument("--embeddings", help="file of embeddings.py, in place of running the text encoder")
    parser.add_argument("--attention", choices=("fused", "plain"), default="fused", help="one node of onnxruntime, or standard operators that every runtime has")
    parser.add_argument("--free", action="store_true", help="let the size of clips open (5B and 1.5)")
    parser.add_argument("--no-check", action="store_true")
    a = parser.parse_args()
    given = None
    if a.embeddings:
        given = {name: value.float() for name, value in load_file(a.embeddings).items()}
    pipe = load_pipeline(a.weights, torch.float32 if a.precision == "fp32" else torch.float16, text=not (a.no_text and given))
    options = {}
    if a.run:
        pipe.transformer = lora.adapted(pipe.transformer, a.run)
        trained = load_settings(Path(a.run) / "settings.json")
        options = {"rope_grid": trained.rope_grid, "learned": trained.positions}
        a.frames, a.height, a.width = trained.frames, a.height or trained.height, a.width or trained.width
    sides = (a.height or pipe.transformer.config.sample_height * 8, a.width or pipe.transformer.config.sample_width * 8)
    identity = a.id or Path(a.out).resolve().name.lower()
    worst = export(
        pipe, a.out, identity, a.name or f"CogVideoX {variant_of(pipe.transformer)}", a.frames, sides, a.precision, not a.no_text, given, a.attention == "fused", a.free, not a.no_check, **options,
        log=lambda text: print(text, flush=True),
    )
    for part, value in worst.items():
        print(f"{part}: largest difference to PyTorch {value:.2e}")
