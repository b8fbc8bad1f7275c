import {
  CHANNEL_KINDS,
  DEVICES,
  GUIDANCE_KINDS,
  METRIC_PROTOCOLS,
  PICTURE_FORMATS,
  PRECISIONS,
  SCHEDULERS,
  TASKS,
} from '../protocol';

export const USAGE = `Usage: progressive-restoration COMMAND ...

  restore IMAGE... --out DIR [--task TASK] [--prompt TEXT | --prompt auto | --describe endpoint] [--reference FILE]
                   [--frames N | --severity S[,S...]] [--scale 4] [--model ID] [--adapter FILE[:SCALE]]... [--device DEVICE]
                   [--precision PRECISION] [--protocol PROTOCOL] [--metrics psnr,ssim,lpips,flip] [--save FILE|DIR [--format FORMAT] [--depth 8|16] [--quality 1-100]]
                   [--steps N] [--seed N] [--scheduler SCHEDULER] [--guidance G] [--guidance-kind KIND] [--noise FILE] [--previews N] [--json]
      Restores pictures; writes NAME.frame-K.png, NAME.strip.png and NAME.run.json into DIR. Without a task the
      prompt decides what to do, and without a prompt a look at the picture. --prompt auto describes the scene by
      what can be measured; --describe endpoint sends a small copy of the picture to the multimodal model that
      PROGRESSIVE_RESTORATION_ENDPOINT, ..._ENDPOINT_MODEL and ..._ENDPOINT_KEY name.
      --save writes the last frame at full size like the input: colour profile, depth, opacity, EXIF and XMP put back;
      in a folder as NAME.restored.EXT. With it, --out may be left out.
      --adapter merges a LoRA adapter into the model: a .safetensors file, or the name of one that ships with it; SCALE is
      1 unless said otherwise. It decides the task when neither task nor prompt does.
      --steps and what follows are for diffusion models (CogVideoX): --guidance 1 is none and takes half the time, --noise
      is a safetensors file in place of the seed, --previews counts the estimates that are kept on the way, NAME.preview-STEP.png. Their clips
      have 8N + 1 frames, as they were exported; --frames takes all of them or an even choice (9 of 17, 5 of 9).
  detect IMAGE... [--json]
      What seems to be wrong with pictures, how sure that is, and why.
  evaluate DIR --task TASK [--protocol PROTOCOL] [--metrics psnr,ssim,lpips,flip] [--limit N] [--prompt TEXT] [--frames N] [--scale 4]
                   [--model ID] [--adapter FILE[:SCALE]]... [--device DEVICE] [--precision PRECISION] [--out DIR [--resume]]
                   [--table FILE]... [--check] [--json]
      Runs DIR/input through a model and measures every frame against DIR/reference (same base names). --out keeps
      a row a picture (rows.jsonl) and the report; --resume goes on with them after a stop or a kill.
  evaluate --results [NAME=]DIR... --reference DIR --protocol PROTOCOL [--scale 4] [--metrics psnr,ssim,lpips,flip]
                   [--clips REGEX] [--seed N] [--limit N] [--out DIR [--resume]] [--table FILE]... [--check] [--claimed psnr=X]... [--json]
      Measures folders of finished pictures and their differences, with intervals over clips. Tables are written
      as .md, .tex or .csv.
  detective DIR | --results DIR... --reference DIR | --input DIR --reference DIR  [--scale 4] [--claimed psnr=X]...
                   [--limit N] [--json]
      Says what makes figures incomparable: another resizer, a shift, a cut, another protocol.
  figure [NAME=]IMAGE... --reference FILE --protocol PROTOCOL --out NAME [--input FILE] [--region X,Y,W,H]
                   [--picture NAME] [--scale 4] [--columns N] [--no-note] [--json]
      Crops of one region across methods with their metrics, as NAME.png and NAME.svg. With --picture, folders.
  metrics A B --protocol PROTOCOL [--scale 4] [--metrics psnr,ssim,lpips,flip] [--region X,Y,W,H]
                   [--maps DIR] [--json]
      PSNR, SSIM, LPIPS and FLIP of picture A against reference B, and the shift between them. Maps are written
      as NAME.KIND.png (colours) and NAME.KIND.npy (values).
  metrics A [--json]
      Sharpness and exposure of one picture, without a reference.
  degrade IMAGE... --task TASK --out DIR [--severity S[,S...]] [--seed N] [--scale 4] [--small]
                   [--parameters JSON] [--json]
      Degrades clean pictures as training data is degraded; writes NAME.png (with several severities
      NAME.severity-S.png) into DIR. --small leaves super-resolution's picture small.
  dataset DIR --task TASK|all --out DIR [--frames 9] [--seed N] [--size 512|720x480] [--per-picture N] [--limit N]
                   [--prompts uniform|captions|FILE.jsonl] [--clip mp4|none] [--pairs] [--parameters JSON] [--json]
      A progression data set from a folder of clean pictures: clips from degraded to clean with prompts, for
      fine-tuning a video model. The same call again continues it. --pairs: DIR/input is dark, DIR/reference bright.
  models list [--json]
  models add FOLDER|MANIFEST|FILE.onnx|https://... --yes [--task TASK] [--id ID] [--channels CHANNELS]
                   [--license TEXT] [--json]
      Adds a model: fetches what is missing, verifies its hashes and tries it. Without --yes it shows licence, size
      and host only. The options say what a plain .onnx file does not.
  models remove ID [--json]
  models verify [ID] [--json]
      Compares the files of a model, or of all, with the hashes in its manifest.
  notebook run FILE.ipynb [--out FILE] [--allow-errors] [--json]
      Runs a notebook without an editor and saves it with its outputs. Stops at a cell that fails, and then
      replaces nothing, unless errors are allowed.
  devices [--json]
      The devices that work here.

  TASK      ${TASKS.join(' | ')}
  PROTOCOL  ${METRIC_PROTOCOLS.join(' | ')}
  DEVICE    ${DEVICES.join(' | ')}
  PRECISION ${PRECISIONS.join(' | ')}: int8 is about twice as fast on a CPU, where the model has it; auto takes it there
  FORMAT    ${PICTURE_FORMATS.join(' | ')}
  CHANNELS  ${CHANNEL_KINDS.join(' | ')}
  SCHEDULER ${SCHEDULERS.join(' | ')}
  KIND      ${GUIDANCE_KINDS.join(' | ')}

  --help, --version
  Exit codes: 0 done, 1 the work failed, 2 the call was wrong.
`;
