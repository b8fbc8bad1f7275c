import { execFile } from 'node:child_process';
import os from 'node:os';
import { promisify } from 'node:util';
import * as vscode from 'vscode';
import type { ModelLibrary } from '../../api/models';
import { RestorationError, type InstallationReport } from '../../protocol';
import { chosenNodePath, readSettings } from '../configuration';
import { EXTENSION_ID } from '../ids';
import type { WindowInference } from '../inference';
import { signalOf } from '../models/amounts';
import { cudaFacts } from '../models/install-cuda';
import type { ModelTree } from '../models/model-tree';
import type { ServiceEnvironment } from '../models/service-environment';
import { assertTrusted } from '../preconditions';
import type { InstallationReports, ReportLine, ReportSection } from '../status/installation-report';
import type { Log } from '../status/log';

export interface CheckServices {
  inference: WindowInference;
  environment: ServiceEnvironment;
  library: ModelLibrary;
  tree: ModelTree;
  reports: InstallationReports;
  log: Log;
}

/** Node.js that the kernel needs. */
const OLDEST_NODE = { major: 20, minor: 9 };
const NODE_MILLISECONDS = 15_000;

/**
 * Check Installation: pictures, a network and metrics really run in the inference process, model files are compared with
 * their hashes, and the report opens as a document. Needs no internet.
 */
export async function checkInstallation(services: CheckServices): Promise<void> {
  assertTrusted();
  const title = vscode.l10n.t('Checking the installation');
  const sections = await vscode.window.withProgress(
    { location: vscode.ProgressLocation.Notification, title, cancellable: true },
    async (progress, token) => {
      const signal = signalOf(token);
      progress.report({ message: vscode.l10n.t('pictures, network, metrics') });
      const work = await workSections(services, signal);
      progress.report({ message: vscode.l10n.t('models') });
      const models = await modelSection(services);
      progress.report({ message: vscode.l10n.t('programs') });
      return [...work, models, await programSection(services), surroundings()];
    },
  );
  await services.reports.show(sections);
}

async function workSections({ inference }: CheckServices, signal: AbortSignal): Promise<ReportSection[]> {
  const { device, model } = readSettings();
  const started = performance.now();
  let report: InstallationReport;
  try {
    await inference.address();
    report = await inference.client.check({ device, model, priority: 'interactive' }, { signal });
  } catch (error) {
    const failure = RestorationError.from(error);
    if (failure.code === 'cancelled') throw failure;
    const line = {
      label: vscode.l10n.t('Inference process'),
      ok: false,
      text: failure.problem,
      remedy: failure.remedy,
    };
    return [{ title: vscode.l10n.t('What was tried'), lines: [line] }];
  }
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  const names = {
    pictures: vscode.l10n.t('Pictures'),
    network: vscode.l10n.t('Network'),
    metrics: vscode.l10n.t('Metrics'),
  };
  const tried: ReportLine[] = report.checks.map(({ name, ok, detail, remedy, seconds: took }) => ({
    label: names[name],
    ok,
    text: vscode.l10n.t('{0} ({1} s)', detail.replace(/\.$/, ''), took.toFixed(2)),
    ...(remedy === undefined ? {} : { remedy }),
  }));
  tried.push({
    label: vscode.l10n.t('Inference process'),
    ok: true,
    text: vscode.l10n.t('answered after {0} s, all included', seconds),
  });
  const wanted = report.devices.find((one) => one.device === device);
  const devices = report.devices.map((one): ReportLine => {
    const used = device === 'auto' ? one.automatic === true : one.device === device;
    const mark = used ? vscode.l10n.t('in use; ') : '';
    const state = one.available ? vscode.l10n.t('works') : vscode.l10n.t('not available');
    const chosenInVain = one === wanted && !one.available;
    const remedy = chosenInVain
      ? vscode.l10n.t('The CPU is used instead. Correct the setting "progressiveRestoration.device".')
      : undefined;
    return {
      label: one.device,
      ok: !chosenInVain,
      text: `${mark}${state}: ${one.detail}`,
      ...(remedy ? { remedy } : {}),
    };
  });
  const versions = Object.entries(report.versions).map(([label, text]) => ({ label, ok: true, text }));
  return [
    { title: vscode.l10n.t('What was tried'), lines: tried },
    { title: vscode.l10n.t('Devices'), lines: devices },
    { title: vscode.l10n.t('Versions in the inference process'), lines: versions },
  ];
}

async function modelSection({ library, tree, environment }: CheckServices): Promise<ReportSection> {
  const checks = await library.verify();
  tree.show(checks);
  const lines = checks.map(({ id, ok, files }): ReportLine => {
    const problems = files.flatMap(({ problem }) => problem ?? []);
    return ok
      ? { label: id, ok, text: vscode.l10n.t('{0} file(s) have the SHA-256 of the manifest', files.length) }
      : { label: id, ok, text: problems.join(' '), remedy: vscode.l10n.t('Remove the model and add it again.') };
  });
  lines.push({ label: vscode.l10n.t('Folder of added models'), ok: true, text: environment.modelsFolder });
  return { title: vscode.l10n.t('Models'), lines };
}

async function programSection({ environment }: CheckServices): Promise<ReportSection> {
  const lines = (await cudaFacts(environment)).map(({ label, text, remedy }): ReportLine => ({
    label,
    ok: remedy === undefined,
    text,
    ...(remedy ? { remedy } : {}),
  }));
  const node = chosenNodePath();
  lines.unshift(
    node === undefined
      ? {
          label: vscode.l10n.t('Node.js of notebooks'),
          ok: true,
          text: vscode.l10n.t('{0}, of the editor', process.version),
        }
      : await nodeLine(node),
  );
  return { title: vscode.l10n.t('Programs'), lines };
}

async function nodeLine(node: string): Promise<ReportLine> {
  const label = vscode.l10n.t('Node.js of notebooks');
  const remedy = vscode.l10n.t('Correct the setting "progressiveRestoration.kernel.nodePath", or empty it.');
  try {
    const { stdout } = await promisify(execFile)(node, ['--version'], { timeout: NODE_MILLISECONDS });
    const version = stdout.trim();
    const [, major, minor] = /^v(\d+)\.(\d+)\./.exec(version) ?? [];
    const { major: oldest, minor: least } = OLDEST_NODE;
    const ok = Number(major) > oldest || (Number(major) === oldest && Number(minor) >= least);
    if (ok) return { label, ok, text: `${version}, ${node}` };
    return {
      label,
      ok,
      text: vscode.l10n.t('{0} says "{1}"; Node.js 20.9 or later is needed.', node, version.slice(0, 80)),
      remedy,
    };
  } catch (error) {
    return {
      label,
      ok: false,
      text: vscode.l10n.t('{0} cannot be run ({1}).', node, (error as NodeJS.ErrnoException).code ?? 'failed'),
      remedy,
    };
  }
}

function surroundings(): ReportSection {
  const manifest = vscode.extensions.getExtension(EXTENSION_ID)?.packageJSON as { version?: string } | undefined;
  const { device, model, frames } = readSettings();
  const facts: [string, string][] = [
    [vscode.l10n.t('Extension'), manifest?.version ?? '?'],
    [vscode.env.appName, `${vscode.version}${vscode.env.remoteName ? ` (${vscode.env.remoteName})` : ''}`],
    [vscode.l10n.t('System'), `${os.type()} ${os.release()}, ${os.arch()}`],
    [vscode.l10n.t('Processor'), `${os.cpus()[0]?.model.trim() ?? '?'}, ${os.availableParallelism()}`],
    [vscode.l10n.t('Memory'), `${(os.totalmem() / 2 ** 30).toFixed(1)} GiB`],
    [vscode.l10n.t('Settings'), `device ${device}, model ${model}, ${frames} frames`],
  ];
  return {
    title: vscode.l10n.t('This machine'),
    lines: facts.map(([label, text]) => ({ label, ok: true, text })),
  };
}
