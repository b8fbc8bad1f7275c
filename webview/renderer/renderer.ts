import type { ActivationFunction, OutputItem } from 'vscode-notebook-renderer';
import {
  isExtensionToRenderer,
  isFolderName,
  isFrameFile,
  isMadeFile,
  isRunView,
  suggestedFrameName,
  type FrameRecord,
  type RendererToExtension,
  type RunView,
} from '../../src/protocol';
import { copyPicture, copyText } from '../strip/clipboard';
import { download } from './download';
import { RegionsOfRuns } from './moved-regions';
import { Requests } from '../strip/requests';
import { FrameRequests } from '../strip/frame-requests';
import { createStrip, type Strip, type StripOptions } from '../strip/strip';
import { brokenOff, WorkWatch } from './working';

/** How long the extension may take to say whether a kernel works, in milliseconds. */
const ANSWER_WITHIN = 4_000;

/** One notebook output. Its element is the renderer's own, so that it can move when the notebook gives another container. */
interface Output {
  readonly element: HTMLElement;
  readonly strip: Strip;
  readonly watch: WorkWatch;
  view: RunView | undefined;
}

/**
 * Shows outputs of the run MIME type as strips. Saved outputs are untrusted, also in Restricted Mode: they are checked as a whole
 * before anything is shown, and full frames are asked from the extension by checked names only. Without an extension behind it
 * (a browser that only shows saved notebooks) the strip is complete but for the full frames.
 */
export const activate: ActivationFunction = (context) => {
  const outputs = new Map<string, Output>();
  const frames = new FrameRequests();
  const working = new Requests<boolean | 'unknown'>(ANSWER_WITHIN);
  const post = context.postMessage && ((message: RendererToExtension) => context.postMessage?.(message));

  const regions = new RegionsOfRuns((frame, region) => post?.({ type: 'region', frame, region }));

  context.onDidReceiveMessage?.((message: unknown) => {
    if (!isExtensionToRenderer(message)) return;
    switch (message.type) {
      case 'frame':
        frames.settle(message.requestId, message.dataUrl);
        return;
      case 'working':
        working.settle(message.requestId, message.working ?? 'unknown');
        return;
      case 'regions':
        regions.take(message.regions);
        for (const { view, strip } of outputs.values()) if (view !== undefined) regions.follow(view, strip);
        return;
    }
  });

  post?.({ type: 'regions' });

  const askWorking = async (): Promise<boolean | 'unknown' | undefined> =>
    post && working.ask((requestId) => post({ type: 'working', requestId }));
  // In a browser without the extension's own code, messages go nowhere.
  let answered: Promise<boolean> | undefined;
  const hasExtension = (): Promise<boolean> => (answered ??= askWorking().then((answer) => answer !== undefined));

  /** Asks for a full frame of an output; without messaging or without a folder there is none. */
  const loadFrame = (output: () => Output | undefined, file: string): Promise<string | undefined> => {
    const framesFolder = folderOf(output()?.view, file);
    if (post === undefined || framesFolder === undefined || !isFrameFile(file)) return Promise.resolve(undefined);
    return frames.ask((requestId) => post({ type: 'frame', requestId, file, framesFolder }));
  };

  const saveFrame = (frame: FrameRecord, run: RunView): void => {
    const { framesFolder } = run;
    if (post === undefined || !isFolderName(framesFolder) || !isFrameFile(frame.file)) return;
    const suggestedName = suggestedFrameName(run.record.input.file, frame.index);
    post({ type: 'save-frame', file: frame.file, framesFolder, suggestedName });
  };

  /** By the extension's dialog, else by the page's own. */
  const saveMade = async (dataUrl: string, suggestedName: string): Promise<void> => {
    if (!isMadeFile(dataUrl)) return;
    if (post !== undefined && (await hasExtension())) post({ type: 'save-made', dataUrl, suggestedName });
    else download(dataUrl, suggestedName);
  };

  const create = (id: string): Output => {
    const element = document.createElement('div');
    const self = (): Output | undefined => outputs.get(id);
    const options: StripOptions = {
      loadFrame: (file) => loadFrame(self, file),
      onSave: post && saveFrame,
      onSaveMade: (dataUrl, suggestedName) => void saveMade(dataUrl, suggestedName),
      onCopy: copyText,
      onCopyPicture: copyPicture,
      onStop: post && (() => post({ type: 'stop' })),
      onRegion: (region) => {
        const view = self()?.view;
        if (view !== undefined) regions.move(view, region);
      },
    };
    const strip = createStrip(element, options);
    // What only the extension can do is not offered where it does not answer.
    if (post !== undefined) void hasExtension().then((there) => there || delete options.onSave);
    const watch = new WorkWatch(
      async () => {
        const answer = await askWorking();
        return answer === 'unknown' ? undefined : answer;
      },
      () => {
        const view = self()?.view;
        if (view !== undefined) strip.update(brokenOff(view));
      },
    );
    const output: Output = { element, strip, watch, view: undefined };
    outputs.set(id, output);
    return output;
  };

  const dispose = (id: string): void => {
    const output = outputs.get(id);
    outputs.delete(id);
    output?.watch.stop();
    output?.strip.dispose();
    output?.element.remove();
  };

  return {
    renderOutputItem(item, container) {
      const output = outputs.get(item.id) ?? create(item.id);
      if (output.element.parentElement !== container) container.replaceChildren(output.element);
      const value = valueOf(item);
      output.view = isRunView(value) ? value : undefined;
      output.strip.update(value);
      if (output.view !== undefined) regions.show(output.view, output.strip);
      output.watch.take(stateOf(output.view));
    },
    disposeOutputItem(id) {
      for (const known of id === undefined ? [...outputs.keys()] : [id]) dispose(known);
      if (outputs.size === 0) {
        frames.dispose();
        working.dispose();
      }
    },
  };
};

/** The folder of the run that a file belongs to. */
function folderOf(view: RunView | undefined, file: string): string | undefined {
  const runs = view === undefined ? [] : [view, ...(view.others ?? [])];
  const owner = runs.find(
    ({ record, reference }) => reference?.file === file || record.frames.some((frame) => frame.file === file),
  );
  return isFolderName(owner?.framesFolder) ? owner?.framesFolder : undefined;
}

function stateOf(view: RunView | undefined): RunView['state']['kind'] {
  if (view === undefined) return 'done';
  const runs = [view, ...(view.others ?? [])];
  return runs.some(({ state }) => state.kind === 'running') ? 'running' : view.state.kind;
}

/** The output's JSON; undefined when a notebook holds something else under this MIME type. */
function valueOf(item: OutputItem): unknown {
  try {
    return item.json() as unknown;
  } catch {
    return undefined;
  }
}
