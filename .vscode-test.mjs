// Runs the suites of test/extension-host in a desktop VS Code, which @vscode/test-cli downloads: `npm run test:desktop`.
import { defineConfig } from '@vscode/test-cli';

export default defineConfig({
  files: '.cache/extension-host/*.test.js',
  launchArgs: ['--disable-workspace-trust'],
  mocha: { ui: 'bdd', timeout: 240_000 },
});
