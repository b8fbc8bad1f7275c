/** `README.md` of a data set: what lies where, and how the usual scripts read it. */
export function dataSetCard(settings: Record<string, unknown>, count: number): string {
  const frames = Number(settings.frames);
  const clips = settings.clip !== 'none';
  const { width, height } = settings.size as { width: number; height: number };
  const training = clips
    ? `
diffusers' script for CogVideoX reads \`prompts.txt\` and \`videos.txt\` as they are
(https://github.com/huggingface/diffusers/tree/main/examples/cogvideo, "First data format"):

    accelerate launch train_cogvideox_lora.py --instance_data_root THIS_FOLDER \\
      --caption_column prompts.txt --video_column videos.txt \\
      --height ${height} --width ${width} --fps 8 --max_num_frames ${frames} ...

It takes the first 4k + 1 frames of a clip (${frames} ${frames % 4 === 1 ? 'is such a number' : 'is no such number: the last ones are cut off'}). With \`--dataset_name THIS_FOLDER --caption_column text --video_column file_name\`
beside \`--instance_data_root\` it reads \`metadata.jsonl\` instead. finetrainers takes the folder as its data set: it finds \`metadata.jsonl\` with
\`file_name\` and \`caption\` (https://github.com/a-r-r-o-w/finetrainers/blob/main/docs/dataset/README.md).
`
    : '';
  // The block at the top keeps \`datasets\` from taking the frames for the data.
  return `---
configs:
- config_name: default
  data_files: metadata.jsonl
---
# Progression data set

${count} samples of ${frames} frames, ${width}x${height} pixels: each goes from a degraded picture (first frame, severity 1) to the clean one
(last frame, severity 0) in equal steps of severity.

| | |
|---|---|
| \`metadata.jsonl\` | one row a sample: \`file_name\`${clips ? ' (the clip)' : ' (the first frame)'}, \`text\` and \`caption\` (the prompt, twice), \`task\`, \`frames\` (folder), \`source\` |
| \`frames/NUMBER/\` | the frames as PNG: \`001.png\` is the degraded one |
${clips ? '| `videos/NUMBER.mp4` | the same frames as a clip, H.264, 8 frames a second, every frame a key frame; slightly lossy, unlike the PNG files |\n| `prompts.txt`, `videos.txt` | the columns of `metadata.jsonl` as lists |\n' : ''}| \`samples/NUMBER.json\` | where a sample comes from and every parameter of its degradation |
| \`failures.jsonl\` | pictures that could not be used, if any |
| \`data-set.json\` | the settings; running the same call again continues an unfinished data set |
${training}`;
}
