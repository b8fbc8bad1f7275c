import { createHash, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { coreRuntime } from '../../../src/restoration/models/cuda-runtime';
import type { FileServer, Served } from './file-server';
import { zipOf } from './zip-file';

/** Where the libraries lie in onnxruntime's package. */
const NATIVE = 'runtimes/linux-x64/native';
const PACKAGE = 'microsoft.ml.onnxruntime.gpu.linux';

/**
 * A shared library that the system's loader accepts, with the version that a provider of onnxruntime carries: the bundled
 * binding, which needs onnxruntime's core library, and a text behind it.
 */
export function providerLibrary(version = coreRuntime().version): Buffer {
  const binding = path.join(path.dirname(coreRuntime().library), 'onnxruntime_binding.node');
  return Buffer.concat([readFileSync(binding), Buffer.from(`\0${version}\0`)]);
}

export interface CudaFeed {
  /** Address of the feed's index. */
  index: string;
  archive: Buffer;
  libraries: Record<string, Buffer>;
  /** Path of the archive on the server. */
  archivePath: string;
}

/** Publishes a package of CUDA libraries on a server of this machine, in the documents of a NuGet feed. */
export function serveCudaFeed(
  server: FileServer,
  {
    archive: how = {},
    files,
    sha512,
  }: { archive?: Partial<Served>; files?: Record<string, Uint8Array>; sha512?: string | null } = {},
): CudaFeed {
  const { version } = coreRuntime();
  const libraries = {
    'libonnxruntime_providers_cuda.so': providerLibrary(),
    'libonnxruntime_providers_shared.so': Buffer.from('shared'),
    'libonnxruntime_providers_tensorrt.so': randomBytes(50_000),
  };
  const inside = Object.fromEntries(
    Object.entries(files ?? libraries).map(([name, content]) => [`${NATIVE}/${name}`, content]),
  );
  const archive = zipOf({ '_rels/.rels': Buffer.from('<xml/>'), ...inside, 'LICENSE.txt': Buffer.from('MIT') });
  const archivePath = `/flat/${PACKAGE}.${version}.nupkg`;
  server.serve(archivePath, { ...how, body: archive });
  const hash = createHash('sha512').update(archive).digest('base64');
  const entry = server.serve('/catalog/entry.json', {
    body: JSON.stringify({
      packageSize: archive.length,
      packageHashAlgorithm: 'SHA512',
      ...(sha512 === null ? {} : { packageHash: sha512 ?? hash }),
    }),
  });
  server.serve(`/registration/${PACKAGE}/${version}.json`, {
    body: JSON.stringify({ catalogEntry: entry, packageContent: server.origin + archivePath }),
  });
  const index = server.serve('/v3/index.json', {
    body: JSON.stringify({
      resources: [
        { '@id': `${server.origin}/gzipped/`, '@type': 'RegistrationsBaseUrl/3.6.0' },
        { '@id': `${server.origin}/registration/`, '@type': 'RegistrationsBaseUrl' },
      ],
    }),
  });
  return { index, archive, libraries, archivePath };
}
