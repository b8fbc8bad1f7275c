import type { ActivationFunction, OutputItem } from 'vscode-notebook-renderer';
import {
  isExtensionToRenderer,
  isFolderName,
  isFrameFile,
  isRunView,
  suggestedFrameName,
  type FrameRecord,
  type RendererToExtension,
  type RunView,
} from '../../src/protocol';
import { copyText } from '../strip/clipboard';
import { FrameRequests } from '../strip/frame-requests';
import { createStrip, type Strip } from '../strip/strip';

/** One notebook output. Its element is the renderer's own, so that it can move when the notebook gives another container. */
interface Output {
  readonly element: HTMLElement;
  readonly strip: Strip;
  view: RunView | undefined;
}

/**
 * Shows outputs of the run MIME type as strips. Saved outputs are untrusted, also in Restricted Mode: they are checked as a whole
 * before anything is shown, and full frames are asked from the extension by checked names only.
 */
export const activate: ActivationFunction = (context) => {
  const outputs = new Map<string, Output>();
  const requests = new FrameRequests();
  const post = context.postMessage && ((message: RendererToExtension) => context.postMessage?.(message));

  context.onDidReceiveMessage?.((message: unknown) => {
    if (isExtensionToRenderer(message) && message.type === 'frame') requests.settle(message.requestId, message.dataUrl);
  });

  /** Asks for a full frame of an output; without messaging or without a folder there is none. */
  const loadFrame = (output: () => Output | undefined, file: string): Promise<string | undefined> => {
    const framesFolder = output()?.view?.framesFolder;
    if (post === undefined || !isFolderName(framesFolder) || !isFrameFile(file)) return Promise.resolve(undefined);
    return requests.ask((requestId) => post({ type: 'frame', requestId, file, framesFolder }));
  };

  const saveFrame = (output: () => Output | undefined, frame: FrameRecord): void => {
    const view = output()?.view;
    if (post === undefined || view === undefined) return;
    const { framesFolder } = view;
    if (!isFolderName(framesFolder) || !isFrameFile(frame.file)) return;
    const suggestedName = suggestedFrameName(view.record.input.file, frame.index);
    post({ type: 'save-frame', file: frame.file, framesFolder, suggestedName });
  };

  const create = (id: string): Output => {
    const element = document.createElement('div');
    const self = (): Output | undefined => outputs.get(id);
    const strip = createStrip(element, {
      loadFrame: (file) => loadFrame(self, file),
      onSave: post === undefined ? undefined : (frame) => saveFrame(self, frame),
      onCopy: copyText,
    });
    const output: Output = { element, strip, view: undefined };
    outputs.set(id, output);
    return output;
  };

  const dispose = (id: string): void => {
    const output = outputs.get(id);
    outputs.delete(id);
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
    },
    disposeOutputItem(id) {
      for (const known of id === undefined ? [...outputs.keys()] : [id]) dispose(known);
      if (outputs.size === 0) requests.dispose();
    },
  };
};

/** The output's JSON; undefined when a notebook holds something else under this MIME type. */
function valueOf(item: OutputItem): unknown {
  try {
    return item.json() as unknown;
  } catch {
    return undefined;
  }
}
