import { execFile } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { lstat, mkdir, readdir, readFile, readlink, rename, rm, stat, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { openPromise, type Entry, type ZipFile } from 'yauzl';
import { RestorationError } from '../../protocol';
import { isObject, isText } from '../../protocol/checks';
import { writeFileAtomically } from '../image/files';
import { assureSpace, downloadVerified, writeFailure, type DownloadOptions } from './download';
import { cancelled } from './http-request';
import { findNugetPackage, type NugetPackage } from './nuget';

/**
 * The CUDA part of onnxruntime: provider libraries that are too large for the npm package. onnxruntime looks for them in
 * the folder that its own core library was loaded from, and takes only those of its own version. An extension's folder is
 * not a place to write to, so a folder of links stands in for it: links to the core library and to the providers, put in
 * front of the loader's search path (`LD_LIBRARY_PATH` goes before the binding's RUNPATH) when the inference process starts.
 */

/** What has to be in a folder of providers; TensorRT's is taken along where it is there. */
const NEEDED = ['libonnxruntime_providers_shared.so', 'libonnxruntime_providers_cuda.so'];
const OPTIONAL = ['libonnxruntime_providers_tensorrt.so'];
const CORE = 'libonnxruntime.so.1';
const RECORD = 'runtime.json';
const DOWNLOADS = '.downloads';
const STAGING = '.staging';
/** Unpacked, the libraries take about so much for each byte of the archive. */
const UNPACKED_FACTOR = 3;
const LARGEST_LIBRARY = 4 * 2 ** 30;
const TOOL_MILLISECONDS = 15_000;

/** The core library that belongs to the bundled onnxruntime, and its version. */
export interface CoreRuntime {
  version: string;
  /** Absolute path of the library; absent on systems without CUDA. */
  library: string;
}

/** What would be downloaded, for a person to agree to. */
export interface CudaOffer extends NugetPackage {
  /** Names of the libraries that are taken out of the archive. */
  libraries: string[];
}

/** Provider libraries on this machine that go with the bundled onnxruntime. */
export interface CudaRuntime {
  /** Folder with the libraries. */
  folder: string;
  version: string;
  /** Size of the libraries together. */
  bytes: number;
}

interface InstallMetadata {
  package: string;
  version: string;
  feed: string;
  files: { name: string; path: string }[];
}

const requireHere = createRequire(__filename);

/** The onnxruntime that this package runs. */
export function coreRuntime(): CoreRuntime {
  const manifest = requireHere.resolve('onnxruntime-node/package.json');
  const { version } = requireHere('onnxruntime-node/package.json') as { version: string };
  const library = path.join(path.dirname(manifest), 'bin', 'napi-v6', process.platform, process.arch, CORE);
  return { version, library };
}

/** Whether onnxruntime has CUDA for this kind of machine at all. */
export function isCudaPlatform(platform = process.platform, arch = process.arch): boolean {
  return platform === 'linux' && arch === 'x64';
}

/**
 * What onnxruntime-node's own installer would fetch: so that the libraries are always those of the bundled version.
 *
 * @throws RestorationError `device-unavailable` on other systems, `internal` when the package has another layout
 */
function installMetadata(): InstallMetadata {
  const platform = `${process.platform}/${process.arch}`;
  const metadata: unknown = requireHere('onnxruntime-node/script/install-metadata.js');
  const broken = (what: string): RestorationError =>
    new RestorationError(
      'internal',
      `The bundled onnxruntime does not say where its CUDA libraries are (${what}).`,
      'Set "progressiveRestoration.onnxruntimePath" to a folder that holds them.',
    );
  if (!isObject(metadata) || !isObject(metadata.requirements) || !isObject(metadata.manifests))
    throw broken('manifest');
  const names = metadata.requirements[platform];
  const name: unknown = Array.isArray(names) ? names[0] : undefined;
  if (!isText(name)) throw noCudaHere();
  const manifest = metadata.manifests[`${platform}:${name}`];
  const { packages, feeds } = metadata;
  if (!isObject(manifest) || !isObject(packages) || !isObject(feeds)) throw broken('files');
  const files = Object.entries(manifest).map(([file, entry]) => {
    if (!isObject(entry) || !isText(entry.path) || !isText(entry.package)) throw broken(file);
    return { name: path.posix.basename(file), path: entry.path, package: entry.package };
  });
  const described = packages[files[0]?.package ?? ''];
  const versions: unknown[] = isObject(described) && Array.isArray(described.versions) ? described.versions : [];
  const [wanted] = versions;
  if (!isObject(described) || !isText(described.name) || !isObject(wanted)) throw broken('package');
  const feed = isText(wanted.feed) ? feeds[wanted.feed] : undefined;
  if (!isText(wanted.version) || !isObject(feed) || !isText(feed.index)) throw broken('feed');
  return { package: described.name, version: wanted.version, feed: feed.index, files };
}

function noCudaHere(): RestorationError {
  return new RestorationError(
    'device-unavailable',
    `onnxruntime has CUDA libraries for Linux on x64; this is ${process.platform} on ${process.arch}.`,
    process.platform === 'win32'
      ? 'Use the device "dml" or "webgpu": they come with the extension.'
      : 'Use the device "webgpu" or "cpu": they come with the extension.',
  );
}

/**
 * Looks up what would be downloaded; nothing large comes yet.
 *
 * @param feed address of a NuGet feed's index; that of onnxruntime's own installer unless given
 * @throws RestorationError `device-unavailable`, `download-failed`, `bad-argument`
 */
export async function findCudaRuntime(feed?: string, options: DownloadOptions = {}): Promise<CudaOffer> {
  if (!isCudaPlatform()) throw noCudaHere();
  const metadata = installMetadata();
  const found = await findNugetPackage(feed ?? metadata.feed, metadata.package, metadata.version, options);
  return { ...found, libraries: metadata.files.map(({ name }) => name) };
}

export interface InstallRuntimeOptions extends DownloadOptions {
  /** Called when the archive is complete and its libraries are taken out. */
  onUnpack?: () => void;
}

/**
 * Downloads the archive, or goes on with half of one, verifies its SHA-512, and takes the libraries out. What was there
 * before stays until everything is done.
 *
 * @param root folder for runtimes, a folder a version
 * @throws RestorationError `download-failed`, `unwritable`, `cancelled`
 */
export async function installCudaRuntime(
  offer: CudaOffer,
  root: string,
  options: InstallRuntimeOptions = {},
): Promise<CudaRuntime> {
  const part = path.join(root, DOWNLOADS, `${offer.sha512.slice(0, 32)}.part`);
  await mkdir(path.dirname(part), { recursive: true }).catch((error: unknown) => {
    throw writeFailure(part, error);
  });
  await assureSpace(root, offer.bytes * (1 + UNPACKED_FACTOR));
  await downloadVerified(offer.url, part, offer, options);
  options.onUnpack?.();
  const staging = path.join(root, STAGING, randomBytes(6).toString('hex'));
  try {
    await mkdir(staging, { recursive: true });
    const files = await unpack(part, staging, installMetadata().files, options.signal);
    const record = { package: offer.id, version: offer.version, sha512: offer.sha512, files };
    await writeFileAtomically(path.join(staging, RECORD), `${JSON.stringify(record, null, 2)}\n`);
    await checkVersion(staging, offer.version);
    const folder = path.join(root, offer.version);
    await rm(folder, { recursive: true, force: true });
    await rename(staging, folder).catch((error: unknown) => {
      throw writeFailure(folder, error);
    });
    await rm(part, { force: true });
    return { folder, version: offer.version, bytes: files.reduce((sum, { bytes }) => sum + bytes, 0) };
  } finally {
    await rm(path.join(root, STAGING), { recursive: true, force: true }).catch(() => undefined);
  }
}

interface UnpackedFile {
  name: string;
  bytes: number;
  sha256: string;
}

async function unpack(
  archive: string,
  folder: string,
  wanted: readonly { name: string; path: string }[],
  signal: AbortSignal | undefined,
): Promise<UnpackedFile[]> {
  const damaged = (problem: string, cause?: unknown): RestorationError =>
    new RestorationError(
      'download-failed',
      `The archive of the CUDA libraries cannot be used: ${problem}.`,
      'Try again, or set "progressiveRestoration.onnxruntimePath" to a folder that holds the libraries.',
      { cause },
    );
  let zip: ZipFile;
  try {
    zip = await openPromise(archive, { lazyEntries: true, autoClose: false });
  } catch (error) {
    throw damaged('it is not a zip file', error);
  }
  try {
    const done: UnpackedFile[] = [];
    for await (const entry of zip.eachEntry()) {
      const file = wanted.find(({ path: inside }) => inside === entry.fileName);
      if (file === undefined) continue;
      if (signal?.aborted) throw cancelled();
      if (entry.uncompressedSize > LARGEST_LIBRARY) throw damaged(`${file.name} is larger than 4 GiB`);
      done.push(await unpackOne(zip, entry, path.join(folder, file.name)));
    }
    const missing = wanted.find(({ name }) => NEEDED.includes(name) && !done.some((file) => file.name === name));
    if (missing) throw damaged(`${missing.path} is not in it`);
    return done;
  } catch (error) {
    if (error instanceof RestorationError) throw error;
    throw damaged(error instanceof Error ? error.message.slice(0, 200) : 'it is damaged', error);
  } finally {
    zip.close();
  }
}

async function unpackOne(zip: ZipFile, entry: Entry, target: string): Promise<UnpackedFile> {
  const hash = createHash('sha256');
  const hashing = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      done(null, chunk);
    },
  });
  const source = await zip.openReadStreamPromise(entry);
  await pipeline(source, hashing, createWriteStream(target, { mode: 0o755 }));
  return { name: path.basename(target), bytes: entry.uncompressedSize, sha256: hash.digest('hex') };
}

/**
 * The runtime that `installCudaRuntime` left for the bundled onnxruntime; undefined when there is none.
 *
 * @param root as it was given there
 */
export async function installedCudaRuntime(root: string): Promise<CudaRuntime | undefined> {
  const { version } = coreRuntime();
  const folder = path.join(root, version);
  const files = await recordOf(folder);
  if (files === undefined) return undefined;
  for (const { name, bytes } of files) {
    if ((await stat(path.join(folder, name)).catch(() => undefined))?.size !== bytes) return undefined;
  }
  return { folder, version, bytes: files.reduce((sum, { bytes }) => sum + bytes, 0) };
}

/** Compares every library of an installed runtime with the hash it had when it was unpacked. Returns the damaged ones. */
export async function verifyCudaRuntime({ folder }: CudaRuntime): Promise<string[]> {
  const damaged: string[] = [];
  for (const { name, sha256 } of (await recordOf(folder)) ?? []) {
    const hash = createHash('sha256');
    await pipeline(createReadStream(path.join(folder, name)), hash);
    if (hash.digest('hex') !== sha256) damaged.push(name);
  }
  return damaged;
}

async function recordOf(folder: string): Promise<UnpackedFile[] | undefined> {
  try {
    const record: unknown = JSON.parse(await readFile(path.join(folder, RECORD), 'utf8'));
    if (!isObject(record) || !Array.isArray(record.files)) return undefined;
    const files = record.files.filter(
      (file): file is UnpackedFile =>
        isObject(file) &&
        isText(file.name, 200) &&
        [...NEEDED, ...OPTIONAL].includes(file.name) &&
        typeof file.bytes === 'number' &&
        isText(file.sha256, 64),
    );
    return NEEDED.every((name) => files.some((file) => file.name === name)) ? files : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Finds provider libraries in a folder that a person named: that folder itself, an installed onnxruntime-node, the `lib`
 * of a release archive, or Python's onnxruntime.
 *
 * @throws RestorationError `missing-file` when they are not there, `bad-argument` when they are of another version
 */
export async function existingCudaRuntime(given: string): Promise<CudaRuntime> {
  const inside = [
    '.',
    'lib',
    'capi',
    path.join('onnxruntime', 'capi'),
    path.join('bin', 'napi-v6', process.platform, process.arch),
    path.join('onnxruntime-node', 'bin', 'napi-v6', process.platform, process.arch),
  ];
  for (const folder of inside.map((name) => path.resolve(given, name))) {
    const sizes = await Promise.all(
      NEEDED.map((name) =>
        stat(path.join(folder, name)).then(
          (info) => info.size,
          () => undefined,
        ),
      ),
    );
    if (sizes.some((size) => size === undefined)) continue;
    const { version } = coreRuntime();
    await checkVersion(folder, version);
    return { folder, version, bytes: sizes.reduce<number>((sum, size) => sum + (size ?? 0), 0) };
  }
  throw new RestorationError(
    'missing-file',
    `${given} holds no CUDA libraries of onnxruntime (${NEEDED.join(', ')}).`,
    'Set "progressiveRestoration.onnxruntimePath" to the folder that holds them, or leave it empty.',
  );
}

/** A provider of another version brings the whole process down: the version stands in the library as a text. */
async function checkVersion(folder: string, version: string): Promise<void> {
  const wanted = Buffer.from(`\0${version}\0`);
  let tail = Buffer.alloc(0);
  for await (const chunk of createReadStream(path.join(folder, NEEDED[1] as string), {
    highWaterMark: 4 * 2 ** 20,
  }) as AsyncIterable<Buffer>) {
    const piece = Buffer.concat([tail, chunk]);
    if (piece.includes(wanted)) return;
    tail = piece.subarray(Math.max(0, piece.length - wanted.length));
  }
  throw new RestorationError(
    'bad-argument',
    `The CUDA libraries in ${folder} are not of onnxruntime ${version}, which the extension runs.`,
    `Install onnxruntime ${version} for the GPU there, or use the command "Install CUDA Runtime...".`,
  );
}

/**
 * Makes the folder from which onnxruntime loads: links to its core library and to the providers.
 *
 * @param place parent of such folders
 * @returns folders for the front of `LD_LIBRARY_PATH`
 * @throws RestorationError `unwritable`
 */
export async function linkCudaRuntime({ folder }: CudaRuntime, place: string): Promise<string[]> {
  const { library } = coreRuntime();
  const key = createHash('sha256').update(`${library}\n${folder}`).digest('hex').slice(0, 12);
  const target = path.join(place, key);
  const links = [
    [library, CORE] as const,
    ...[...NEEDED, ...OPTIONAL].map((name) => [path.join(folder, name), name] as const),
  ];
  try {
    await mkdir(target, { recursive: true });
    for (const [source, name] of links) {
      if (await stat(source).catch(() => undefined)) await link(source, path.join(target, name));
    }
  } catch (error) {
    throw writeFailure(target, error);
  }
  return [target, ...(await librariesOfPython(folder))];
}

async function link(source: string, target: string): Promise<void> {
  if ((await readlink(target).catch(() => undefined)) === source) return;
  // Another window may start its process at this moment: it finds the old link or the new one.
  const fresh = `${target}.${randomBytes(4).toString('hex')}`;
  await symlink(source, fresh);
  await rename(fresh, target);
}

/** Python's packages carry CUDA and cuDNN in folders of their own beside onnxruntime's. */
async function librariesOfPython(folder: string): Promise<string[]> {
  const root = path.resolve(folder, '..', '..', 'nvidia');
  const folders: string[] = [];
  for (const name of await readdir(root).catch(() => [])) {
    const libraries = path.join(root, name, 'lib');
    if ((await lstat(libraries).catch(() => undefined))?.isDirectory()) folders.push(libraries);
  }
  return folders.sort();
}

/**
 * Libraries that the CUDA provider needs and the system's loader does not find: CUDA itself, or the driver's part.
 *
 * @param search folders for the front of `LD_LIBRARY_PATH`
 */
export async function missingCudaLibraries({ folder }: CudaRuntime, search: readonly string[]): Promise<string[]> {
  const env = { ...process.env, LD_LIBRARY_PATH: libraryPath(search) };
  const file = path.join(folder, NEEDED[1] as string);
  const { stdout } = await promisify(execFile)('ldd', [file], { env, timeout: TOOL_MILLISECONDS }).catch(() => ({
    stdout: '',
  }));
  return [...stdout.matchAll(/^\s*(\S+) => not found/gm)].map(([, name]) => name as string);
}

/** `LD_LIBRARY_PATH` with folders in front of what it has. */
export function libraryPath(search: readonly string[], before = process.env.LD_LIBRARY_PATH): string {
  return [...search, ...(before ? [before] : [])].join(':');
}

/** NVIDIA's GPUs as their driver names them, with its version and the memory; empty without a driver or a GPU. */
export async function nvidiaGpus(): Promise<string[]> {
  const question = ['--query-gpu=name,driver_version,memory.total', '--format=csv,noheader'];
  // In WSL the driver's tools lie outside of the search path.
  for (const tool of ['nvidia-smi', '/usr/lib/wsl/lib/nvidia-smi']) {
    const answer = await promisify(execFile)(tool, question, { timeout: TOOL_MILLISECONDS }).catch(() => undefined);
    if (answer) return answer.stdout.split('\n').flatMap((line) => line.trim() || []);
  }
  return [];
}
