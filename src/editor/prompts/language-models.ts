import * as vscode from 'vscode';
import { RestorationError } from '../../protocol';
import { SCENE_INSTRUCTION } from '../../restoration/prompts/endpoint';
import { sceneSentence } from '../../restoration/prompts/scene-sentence';

/** Longest answer that is read, in characters: a sentence, and the thoughts of a model that shows them. */
const LONGEST_ANSWER = 65_536;

type ImagePart = vscode.LanguageModelTextPart;

/** The parts of the editor's interface that are younger than the oldest editor that this extension runs in. */
interface NewerEditor {
  LanguageModelDataPart?: { image(data: Uint8Array, mime: string): ImagePart };
}
interface NewerModel {
  capabilities?: { supportsImageToText?: unknown };
}

function imageParts(): NewerEditor['LanguageModelDataPart'] {
  return (vscode as NewerEditor).LanguageModelDataPart;
}

/** The editor's language models that say that they accept pictures; none in editors that cannot hand over pictures. */
export async function seeingModels(): Promise<vscode.LanguageModelChat[]> {
  if (imageParts() === undefined) return [];
  const models = await vscode.lm.selectChatModels();
  return models.filter((model) => (model as NewerModel).capabilities?.supportsImageToText === true);
}

/**
 * Has a language model of the editor describe a picture in one sentence. Call this only when the user has agreed: the picture
 * goes to the model's vendor.
 *
 * @param jpeg a small JPEG of the degraded picture
 * @throws RestorationError `endpoint-failed` with the vendor's reason, `cancelled`
 */
export async function describeByLanguageModel(
  model: vscode.LanguageModelChat,
  jpeg: Uint8Array,
  token: vscode.CancellationToken,
): Promise<string> {
  const parts = imageParts();
  if (parts === undefined) throw failed(model.name, vscode.l10n.t('this editor cannot hand over pictures'));
  const message = vscode.LanguageModelChatMessage.User([
    new vscode.LanguageModelTextPart(SCENE_INSTRUCTION),
    parts.image(jpeg, 'image/jpeg'),
  ]);
  let answer = '';
  try {
    const justification = vscode.l10n.t('The picture is described in one sentence, as a prompt for its restoration.');
    const response = await model.sendRequest([message], { justification }, token);
    for await (const piece of response.text) {
      answer += piece;
      if (answer.length > LONGEST_ANSWER) break;
    }
  } catch (error) {
    if (token.isCancellationRequested) {
      throw new RestorationError('cancelled', vscode.l10n.t('The description was cancelled.'), '', { cause: error });
    }
    throw failed(model.name, error instanceof Error ? error.message : String(error), error);
  }
  return sceneSentence(answer);
}

function failed(name: string, reason: string, cause?: unknown): RestorationError {
  const line = reason
    .replace(/[\p{C}\s]+/gu, ' ')
    .trim()
    .slice(0, 200)
    .replace(/\.$/, '');
  return new RestorationError(
    'endpoint-failed',
    vscode.l10n.t('{0} gave no description: {1}.', name, line),
    vscode.l10n.t('Choose another source, or write the prompt yourself.'),
    { cause },
  );
}
