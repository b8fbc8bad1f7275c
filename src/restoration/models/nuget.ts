import { isObject, isText } from '../../protocol/checks';
import { RestorationError } from '../../protocol';
import { downloadText, type DownloadOptions } from './download';
import { checkUrl } from './http-request';

/** A package of a NuGet feed, with what is needed to fetch and verify it. */
export interface NugetPackage {
  id: string;
  version: string;
  url: string;
  /** Size of the archive. */
  bytes: number;
  /** SHA-512 of the archive, in hex. */
  sha512: string;
}

const LONGEST_DOCUMENT = 4 * 2 ** 20;
/** Resources that answer without compression; all three are names of the same one. */
const REGISTRATIONS = ['RegistrationsBaseUrl', 'RegistrationsBaseUrl/3.0.0-rc', 'RegistrationsBaseUrl/3.0.0-beta'];
const VERSION = /^\d+(?:\.\d+){1,3}(?:-[0-9A-Za-z.-]+)?$/;

function unusable(address: string, problem: string): RestorationError {
  return new RestorationError(
    'download-failed',
    `${new URL(address).host} did not answer as a package feed does: ${problem}.`,
    'Check the address of the feed, or try again later.',
  );
}

/** An address that a feed names. A feed elsewhere has no business with services on this machine. */
function named(address: string, feed: URL): string {
  const url = checkUrl(address);
  if (url.protocol === 'https:' || feed.protocol === 'http:') return url.href;
  throw unusable(feed.href, `it names ${url.host}, which is not https`);
}

async function readJson(address: string, options: DownloadOptions): Promise<Record<string, unknown>> {
  const { text } = await downloadText(address, LONGEST_DOCUMENT, options);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw unusable(address, 'what it sent is not JSON');
  }
  if (!isObject(value)) throw unusable(address, 'what it sent is not an object');
  return value;
}

/**
 * Looks a package up, in three steps: the feed's index names the registrations, the registration names the archive and its
 * catalogue entry, and that one has size and SHA-512 (https://learn.microsoft.com/nuget/api/overview, "Package metadata"
 * and "Catalog").
 *
 * @param feed address of the feed's index, https
 * @throws RestorationError `download-failed` when the feed does not have the package, or does not say its hash
 */
export async function findNugetPackage(
  feed: string,
  id: string,
  version: string,
  options: DownloadOptions = {},
): Promise<NugetPackage> {
  if (!/^[A-Za-z0-9_.-]{1,100}$/.test(id) || !VERSION.test(version))
    throw unusable(feed, 'the package has no valid name');
  const index = checkUrl(feed);
  const { resources } = await readJson(index.href, options);
  const list: unknown[] = Array.isArray(resources) ? resources : [];
  const found = REGISTRATIONS.flatMap((type) =>
    list.filter((one): one is Record<string, unknown> => isObject(one) && one['@type'] === type),
  )[0]?.['@id'];
  if (!isText(found, 2000)) throw unusable(feed, 'its index names no registrations');
  const base = named(found, index).replace(/\/?$/, '/');
  const registration = await readJson(`${base}${id.toLowerCase()}/${version.toLowerCase()}.json`, options);
  const { catalogEntry, packageContent } = registration;
  if (!isText(packageContent, 2000) || !isText(catalogEntry, 2000)) {
    throw unusable(base, `it has no catalogue entry of ${id} ${version}`);
  }
  const entry = await readJson(named(catalogEntry, index), options);
  const { packageHash, packageHashAlgorithm, packageSize } = entry;
  const hash = isText(packageHash, 200) ? Buffer.from(packageHash, 'base64') : Buffer.alloc(0);
  if (packageHashAlgorithm !== 'SHA512' || hash.length !== 64) {
    throw unusable(catalogEntry, `it does not say the SHA-512 of ${id} ${version}, without which nothing is installed`);
  }
  if (typeof packageSize !== 'number' || !Number.isSafeInteger(packageSize) || packageSize < 1) {
    throw unusable(catalogEntry, `it does not say the size of ${id} ${version}`);
  }
  return { id, version, url: named(packageContent, index), bytes: packageSize, sha512: hash.toString('hex') };
}
