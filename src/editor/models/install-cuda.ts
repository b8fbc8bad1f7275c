import * as vscode from 'vscode';
import { RestorationError } from '../../protocol';
import { chosenCudaFeed, chosenOnnxruntimePath } from '../configuration';
import { SETTINGS, SETTINGS_SECTION } from '../ids';
import type { WindowInference } from '../inference';
import { assertTrusted } from '../preconditions';
import type { Activity } from '../status/activity';
import type { Log } from '../status/log';
import { ByteProgress, amount } from './amounts';
import { withCancellableProgress } from './cancellable-progress';
import type { ServiceEnvironment } from './service-environment';

export interface CudaServices {
  environment: ServiceEnvironment;
  inference: WindowInference;
  activity: Activity;
  log: Log;
}

/**
 * Install CUDA Runtime...: says what it is and how large, and after consent downloads it into the extension's storage. On
 * a machine that could not use it, it says so and fetches nothing.
 */
export async function installCuda(services: CudaServices): Promise<void> {
  assertTrusted();
  const { environment, log } = services;
  const { isCudaPlatform, nvidiaGpus, findCudaRuntime, installCudaRuntime, missingCudaLibraries } =
    await import('../../restoration/models/cuda-runtime');
  const gpus = isCudaPlatform() ? await nvidiaGpus() : [];
  if (gpus.length === 0) return tellWhyNot(isCudaPlatform());
  if (chosenOnnxruntimePath() !== undefined) return tellSetting();
  const installed = await environment.runtime();
  const offer = await withCancellableProgress(
    services.activity,
    vscode.l10n.t('Looking up the CUDA runtime'),
    (signal) => findCudaRuntime(chosenCudaFeed(), { signal }),
  );
  if (!(await askConsent(offer, gpus, environment.runtimes, installed !== undefined))) return;
  const retry = vscode.l10n.t('Try Again');
  for (;;) {
    try {
      const runtime = await withCancellableProgress(
        services.activity,
        vscode.l10n.t('Installing the CUDA runtime'),
        (signal, progress) => {
          const bytes = new ByteProgress(progress);
          return installCudaRuntime(offer, environment.runtimes, {
            signal,
            onProgress: (done, total) => bytes.report(done, total, offer.id),
            onUnpack: () => progress.report({ message: vscode.l10n.t('verified; taking the libraries out') }),
          });
        },
      );
      log.info(`The CUDA libraries of onnxruntime ${runtime.version} are in ${runtime.folder}.`);
      const missing = await missingCudaLibraries(runtime, await environment.librarySearch(runtime));
      await services.inference.offerRestart(done(missing));
      return;
    } catch (error) {
      const failure = log.failure(error);
      if (failure.code === 'cancelled') return;
      if (failure.code !== 'download-failed') throw error;
      if ((await vscode.window.showErrorMessage(failure.message, retry)) !== retry) return;
    }
  }
}

function done(missing: readonly string[]): string {
  return missing.length === 0
    ? vscode.l10n.t('The CUDA runtime was installed.')
    : vscode.l10n.t(
        'The CUDA runtime was installed, but the system lacks {0}: install the CUDA Toolkit of that version and cuDNN 9 too.',
        missing.join(', '),
      );
}

async function tellWhyNot(platform: boolean): Promise<void> {
  const problem = platform
    ? vscode.l10n.t('No NVIDIA GPU with a driver was found (nvidia-smi does not answer). Nothing was downloaded.')
    : vscode.l10n.t(
        'CUDA is for Linux on x64; this is {0} on {1}. Nothing was downloaded.',
        process.platform,
        process.arch,
      );
  const remedy = platform
    ? vscode.l10n.t('With one, install its driver first. Other GPUs work as "webgpu" without any download.')
    : vscode.l10n.t('The devices "webgpu", "dml" (Windows) and "coreml" (macOS) need no download.');
  await vscode.window.showInformationMessage(`${problem} ${remedy}`);
}

async function tellSetting(): Promise<void> {
  const name = `${SETTINGS_SECTION}.${SETTINGS.onnxruntimePath}`;
  const open = vscode.l10n.t('Open Setting');
  const choice = await vscode.window.showInformationMessage(
    vscode.l10n.t('The setting "{0}" names an onnxruntime already. Empty it to have one downloaded.', name),
    open,
  );
  if (choice === open) await vscode.commands.executeCommand('workbench.action.openSettings', name);
}

async function askConsent(
  offer: { id: string; version: string; bytes: number; url: string; libraries: string[] },
  gpus: readonly string[],
  folder: string,
  again: boolean,
): Promise<boolean> {
  const lines = [
    vscode.l10n.t(
      'onnxruntime runs networks on NVIDIA GPUs with libraries that are too large to come with the extension.',
    ),
    '',
    vscode.l10n.t('GPU: {0}', gpus.join('; ')),
    vscode.l10n.t('Package: {0} {1}, from Microsoft (MIT license)', offer.id, offer.version),
    vscode.l10n.t('Download: {0} from {1}, compared with its SHA-512', amount(offer.bytes), new URL(offer.url).host),
    vscode.l10n.t('Kept: {0}', offer.libraries.join(', ')),
    vscode.l10n.t('Folder: {0}', folder),
    '',
    vscode.l10n.t('CUDA itself and cuDNN 9 are not part of it: they have to be installed on the system.'),
  ];
  if (again) lines.push(vscode.l10n.t('It is installed already, and would be replaced.'));
  const download = vscode.l10n.t('Download');
  const choice = await vscode.window.showInformationMessage(
    vscode.l10n.t('Install the CUDA runtime?'),
    { modal: true, detail: lines.join('\n') },
    download,
  );
  return choice === download;
}

/** For a check of the installation: one line on NVIDIA's GPUs, one on the libraries. */
export async function cudaFacts(
  environment: ServiceEnvironment,
): Promise<{ label: string; text: string; remedy?: string }[]> {
  const { isCudaPlatform, nvidiaGpus, missingCudaLibraries, verifyCudaRuntime } =
    await import('../../restoration/models/cuda-runtime');
  if (!isCudaPlatform()) return [{ label: 'CUDA', text: vscode.l10n.t('not for this system') }];
  const gpus = await nvidiaGpus();
  const facts: { label: string; text: string; remedy?: string }[] = [
    { label: 'NVIDIA', text: gpus.length > 0 ? gpus.join('; ') : vscode.l10n.t('no GPU with a driver (nvidia-smi)') },
  ];
  try {
    const runtime = await environment.runtime();
    if (runtime === undefined) {
      facts.push({
        label: vscode.l10n.t('CUDA libraries'),
        text: vscode.l10n.t('not installed'),
        ...(gpus.length > 0 ? { remedy: vscode.l10n.t('Use the command "Install CUDA Runtime...".') } : {}),
      });
      return facts;
    }
    const damaged = await verifyCudaRuntime(runtime);
    const missing = await missingCudaLibraries(runtime, await environment.librarySearch(runtime));
    const text = vscode.l10n.t('onnxruntime {0} in {1}', runtime.version, runtime.folder);
    if (damaged.length > 0) {
      const remedy = vscode.l10n.t('Install the CUDA runtime again.');
      facts.push({
        label: vscode.l10n.t('CUDA libraries'),
        text: vscode.l10n.t('{0}: damaged {1}', text, damaged.join(', ')),
        remedy,
      });
    } else if (missing.length > 0) {
      const remedy = vscode.l10n.t(
        'Install the CUDA Toolkit of the version that these names end in, and cuDNN 9; libcuda.so.1 belongs to the driver.',
      );
      facts.push({
        label: vscode.l10n.t('CUDA libraries'),
        text: vscode.l10n.t('{0}; the system lacks {1}', text, missing.join(', ')),
        remedy,
      });
    } else {
      facts.push({ label: vscode.l10n.t('CUDA libraries'), text });
    }
  } catch (error) {
    const { problem, remedy } = RestorationError.from(error);
    facts.push({ label: vscode.l10n.t('CUDA libraries'), text: problem, remedy });
  }
  return facts;
}
