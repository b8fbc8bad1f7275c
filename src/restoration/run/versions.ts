import { readFileSync } from 'node:fs';
import path from 'node:path';
import { imageVersions } from '../image/versions';
import { packageRoot } from '../models/locations';
import { runtimeVersion } from '../models/sessions';

/** What a run record names, so that a result can be reproduced: this package, its runtimes, the system. */
export function versions(): Record<string, string> {
  const manifest = JSON.parse(readFileSync(path.join(packageRoot(), 'package.json'), 'utf8')) as { version: string };
  return {
    'progressive-restoration': manifest.version,
    onnxruntime: runtimeVersion(),
    ...imageVersions(),
    node: process.versions.node,
    system: `${process.platform}-${process.arch}`,
  };
}
