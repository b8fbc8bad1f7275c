import { existsSync, realpathSync } from 'node:fs';
import path from 'node:path';
import { browserPath } from '../../browser';

const ICD = 'vk_swiftshader_icd.json';

/**
 * Environment in which Vulkan is SwiftShader, the software driver that every Chromium brings along, so that WebGPU can be
 * tested without a GPU. Elsewhere than on Linux the system's own driver is used.
 */
export function softwareVulkan(): NodeJS.ProcessEnv {
  if (process.platform !== 'linux') return process.env;
  const folders = [
    path.dirname(realpathSync(browserPath())),
    // Distributions put a script on PATH and the browser elsewhere.
    '/usr/lib/chromium',
    '/usr/lib/chromium-browser',
    '/opt/google/chrome',
    '/opt/microsoft/msedge',
  ];
  const folder = folders.find((candidate) => existsSync(path.join(candidate, ICD)));
  if (folder === undefined) {
    throw new Error(`No ${ICD} beside the browser (looked in ${folders.join(', ')}); install Chrome or Chromium.`);
  }
  return {
    ...process.env,
    VK_ICD_FILENAMES: path.join(folder, ICD),
    // The Vulkan loader also comes with the browser; a system without a GPU has none.
    LD_LIBRARY_PATH: [folder, process.env.LD_LIBRARY_PATH].filter((part) => part).join(path.delimiter),
  };
}
