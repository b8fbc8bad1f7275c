import { DEVICES, METRIC_PROTOCOLS, TASKS } from '../protocol';

export const USAGE = `Usage: progressive-restoration COMMAND ...

  restore IMAGE... --out DIR [--task TASK] [--prompt TEXT] [--reference FILE] [--frames N] [--scale 4]
                   [--model ID] [--device DEVICE] [--protocol PROTOCOL] [--json]
      Restores pictures; writes NAME.frame-K.png, NAME.strip.png and NAME.run.json into DIR. Without a task the
      prompt decides what to do, and without a prompt a look at the picture.
  evaluate DIR --task TASK [--protocol PROTOCOL] [--limit N] [--prompt TEXT] [--frames N] [--scale 4]
                   [--model ID] [--device DEVICE] [--json]
      Runs DIR/input through a model and measures every frame against DIR/reference (same base names).
  metrics A B --protocol PROTOCOL [--scale 4] [--json]
      PSNR, SSIM and LPIPS of picture A against reference B.
  notebook run FILE.ipynb [--out FILE] [--allow-errors] [--json]
      Runs a notebook without an editor and saves it with its outputs. Stops at a cell that fails, and then
      replaces nothing, unless errors are allowed.
  devices [--json]
      The devices that work here.

  TASK      ${TASKS.join(' | ')}
  PROTOCOL  ${METRIC_PROTOCOLS.join(' | ')}
  DEVICE    ${DEVICES.join(' | ')}

  --help, --version
  Exit codes: 0 done, 1 the work failed, 2 the call was wrong.
`;
