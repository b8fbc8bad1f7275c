"""The published configurations of CogVideoX, and tiny ones of the same architecture with random weights.

    python configurations.py --variant 5b-i2v --out runs/tiny-5b-i2v     # a folder that diffusers' from_pretrained reads

What is written is a pipeline folder of diffusers (tokenizer, text_encoder, transformer, vae, scheduler), a few hundred kB. Tiny networks differ from the published ones in sizes only: the same
layers in the same order, so that whatever runs on them runs on the real weights.
"""

import argparse
import copy
import json
from collections import Counter
from math import log
from pathlib import Path

import torch
from diffusers import AutoencoderKLCogVideoX, CogVideoXDDIMScheduler, CogVideoXDPMScheduler, CogVideoXImageToVideoPipeline, CogVideoXTransformer3DModel
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
from transformers import T5Config, T5EncoderModel, T5TokenizerFast

from lora import widen

VARIANTS = ("2b", "5b", "5b-i2v", "1.5-5b-i2v")

UNIFORM = {
    "super-resolution": "Increase the resolution of this picture step by step and restore its fine detail.",
    "deblurring": "Remove the blur from this picture step by step until it is sharp.",
    "low-light": "Brighten this dark picture step by step until it is well exposed.",
}

# Where the variants differ. inChannels: text-to-video weights take 16 channels, and are widened to 32 to take a picture (lora.py).
_TRANSFORMER = {
    "2b": {"num_attention_heads": 30, "num_layers": 30, "in_channels": 16},
    "5b": {"num_attention_heads": 48, "num_layers": 42, "in_channels": 16, "use_rotary_positional_embeddings": True},
    "5b-i2v": {"num_attention_heads": 48, "num_layers": 42, "in_channels": 32, "use_rotary_positional_embeddings": True, "use_learned_positional_embeddings": True},
    "1.5-5b-i2v": {
        "num_attention_heads": 48, "num_layers": 42, "in_channels": 32, "use_rotary_positional_embeddings": True, "patch_size_t": 2, "ofs_embed_dim": 512, "patch_bias": False,
        "sample_height": 300, "sample_width": 300, "sample_frames": 81,
    },
}
SCALE = {"2b": 1.15258426, "5b": 0.7, "5b-i2v": 0.7, "1.5-5b-i2v": 0.7}
SNR_SHIFT = {"2b": 3.0, "5b": 1.0, "5b-i2v": 1.0, "1.5-5b-i2v": 1.0}

TINY_TEXT = {"max_text_seq_length": 16, "text_embed_dim": 32}
TINY_SIDES = (32, 48)  # height and width of the tiny canvas


def transformer_config(variant, tiny=False):
    """Arguments of CogVideoXTransformer3DModel."""
    config = {"attention_head_dim": 64, "out_channels": 16, "time_embed_dim": 512, "sample_height": 60, "sample_width": 90, "sample_frames": 49, **_TRANSFORMER[variant]}
    if tiny:
        config.update(
            num_attention_heads=2, attention_head_dim=16, num_layers=2, in_channels=config["in_channels"] // 4, out_channels=4, time_embed_dim=16, sample_height=TINY_SIDES[0] // 8,
            sample_width=TINY_SIDES[1] // 8, sample_frames=9, **TINY_TEXT,
        )
        if config.get("ofs_embed_dim"):
            # The reference adds the two embeddings, so they are of one width. Positions lie on a grid that is larger than any clip.
            config.update(ofs_embed_dim=16, sample_height=40, sample_width=40)
    return config


def vae_config(variant, tiny=False):
    """Arguments of AutoencoderKLCogVideoX."""
    config = {"scaling_factor": SCALE[variant], "invert_scale_latents": variant == "1.5-5b-i2v", "sample_height": 480, "sample_width": 720}
    if tiny:
        config.update(block_out_channels=(4, 4, 8, 8), latent_channels=4, layers_per_block=1, norm_num_groups=2, sample_height=64, sample_width=64)
    return config


def scheduler(variant, kind="ddim"):
    """The scheduler of the published weights: scaled-linear betas, zero terminal SNR, trailing steps, v-prediction."""
    made = {"ddim": CogVideoXDDIMScheduler, "dpm": CogVideoXDPMScheduler}[kind]
    return made(
        beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", num_train_timesteps=1000, prediction_type="v_prediction", rescale_betas_zero_snr=True,
        timestep_spacing="trailing", clip_sample=False, set_alpha_to_one=True, snr_shift_scale=SNR_SHIFT[variant],
    )


def _corpus():
    """Sentences whose words the tiny tokenizer knows."""
    things = ["picture", "photograph", "street at night", "river between mountains", "portrait of a man", "brick wall", "garden with flowers", "ship in the harbour"]
    for thing in things:
        for task in UNIFORM.values():
            yield task
            yield task.replace("picture", thing)
        yield f"A {thing}, seen from the side; its colours are warm, its edges soft (1 of 10)."
        yield f"The {thing} was taken in 1987 & isn't sharp: please sharpen, denoise and brighten it!"


def _pieces(size):
    """Pieces and their log-probabilities: every character, and the most frequent parts of words. A trainer's own order would depend on hash tables."""
    words = Counter("\u2581" + word for sentence in _corpus() for word in sentence.split())
    characters, parts = Counter(), Counter()
    for word, count in words.items():
        for length in range(1, 9):
            for start in range(len(word) - length + 1):
                (characters if length == 1 else parts)[word[start : start + length]] += count
    longer = sorted(parts, key=lambda part: (-parts[part] * (len(part) - 1), part))[: size - len(characters)]
    counts = {**characters, **{part: parts[part] for part in longer}}
    total = sum(counts.values())
    # A little less for every place in the order: no two segmentations of a word are equally likely.
    return [(part, round(log(counts[part] / total) - 0.0037 * place, 4)) for place, part in enumerate(sorted(counts, key=lambda part: (-counts[part], part)))]


def tiny_tokenizer():
    """A Unigram tokenizer as T5's: words marked with U+2581, <pad> 0, </s> 1, <unk> 2, </s> behind every prompt."""
    tokenizer = Tokenizer(models.Unigram([("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), *_pieces(189)], unk_id=2))
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Replace(Regex(" {2,}"), " ")])
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace(replacement="\u2581", prepend_scheme="always")])
    tokenizer.decoder = decoders.Metaspace(replacement="\u2581", prepend_scheme="always")
    tokenizer.post_processor = processors.TemplateProcessing(single="$A </s>", pair="$A </s> $B </s>", special_tokens=[("</s>", 1)])
    tokenizer.add_special_tokens(["<pad>", "</s>", "<unk>"])
    return tokenizer


def _wrapped(tokenizer):
    return T5TokenizerFast(tokenizer_object=tokenizer, eos_token="</s>", unk_token="<unk>", pad_token="<pad>", extra_ids=0)


@torch.no_grad()
def _randomise(module, generator, gain):
    """Weights that keep a signal's size from layer to layer, and biases and norms that do something: nothing may hide in a zero."""
    for name, parameter in module.named_parameters():
        noise = torch.randn(parameter.shape, generator=generator)
        if parameter.ndim > 1:
            fan_in = parameter[0].numel()
            parameter.copy_(noise * gain / fan_in**0.5)
        elif name.endswith("weight"):
            parameter.copy_(1 + 0.2 * noise)
        else:
            parameter.copy_(0.2 * noise)


@torch.no_grad()
def tiny_pipeline(variant, seed=1, widened=True):
    """diffusers' image-to-video pipeline with random weights; widened: text-to-video weights take a picture's latents too."""
    generator = torch.Generator().manual_seed(seed)
    tokenizer = tiny_tokenizer()
    text_encoder = T5EncoderModel(
        T5Config(vocab_size=tokenizer.get_vocab_size(), d_model=32, d_kv=8, d_ff=48, num_layers=2, num_heads=4, feed_forward_proj="gated-gelu", tie_word_embeddings=False, pad_token_id=0, eos_token_id=1)
    ).eval()
    vae = AutoencoderKLCogVideoX(**vae_config(variant, tiny=True)).eval()
    transformer = CogVideoXTransformer3DModel(**transformer_config(variant, tiny=True)).eval()
    # The autoencoder is the same in all of them.
    for module, gain, random in ((text_encoder, 1.0, generator), (vae, 1.3, torch.Generator().manual_seed(2)), (transformer, 1.0, generator)):
        _randomise(module, random, gain)
    vae.decoder.conv_out.conv.weight.mul_(0.25)  # pictures within their range: what is clipped compares nothing
    embed = transformer.patch_embed
    if embed.use_learned_positional_embeddings:
        embed.pos_embedding.copy_(0.5 * torch.randn(embed.pos_embedding.shape, generator=generator))
    if widened and transformer.config.in_channels == transformer.config.out_channels:
        transformer = widen(transformer)
        new = transformer.patch_embed.proj.weight[:, transformer.config.out_channels :]
        new.copy_(0.3 * torch.randn(new.shape, generator=generator))
    return CogVideoXImageToVideoPipeline(_wrapped(tokenizer), text_encoder, vae, transformer, scheduler(variant))


def load_tokenizer(weights):
    return T5TokenizerFast.from_pretrained(Path(weights) / "tokenizer")


def load_pipeline(folder, dtype=torch.float32, text=True):
    """The pipeline of a folder in diffusers' format. Without text its text encoder (9 GB) stays on the disk."""
    folder = Path(folder)
    if not (folder / "model_index.json").exists():
        raise FileNotFoundError(f"{folder} holds no model_index.json: name a folder in diffusers' format, such as a download of THUDM/CogVideoX-5b-I2V")
    kind = json.loads((folder / "scheduler/scheduler_config.json").read_text())["_class_name"]
    made = CogVideoXDPMScheduler if "DPM" in kind else CogVideoXDDIMScheduler
    encoder = T5EncoderModel.from_pretrained(folder / "text_encoder", dtype=dtype) if text else None
    tokenizer = load_tokenizer(folder) if text else None
    return CogVideoXImageToVideoPipeline(
        tokenizer, encoder, AutoencoderKLCogVideoX.from_pretrained(folder / "vae"), CogVideoXTransformer3DModel.from_pretrained(folder / "transformer", torch_dtype=dtype),
        made.from_pretrained(folder / "scheduler"),
    )


def variant_of(transformer):
    """Which configuration a transformer has."""
    config = transformer.config
    if config.patch_size_t is not None:
        return "1.5-5b-i2v"
    if not config.use_rotary_positional_embeddings:
        return "2b"
    return "5b-i2v" if config.use_learned_positional_embeddings else "5b"


def clone(module):
    return copy.deepcopy(module)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--variant", choices=VARIANTS, required=True)
    parser.add_argument("--out", required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--plain", action="store_true", help="text-to-video weights as they are published, which take no picture")
    a = parser.parse_args()
    pipeline = tiny_pipeline(a.variant, a.seed, widened=not a.plain)
    pipeline.save_pretrained(a.out)
    print(f"{a.out}: {sum(path.stat().st_size for path in Path(a.out).rglob('*') if path.is_file()) / 1e3:.0f} kB, {sum(p.numel() for p in pipeline.transformer.parameters())} parameters in the transformer")
