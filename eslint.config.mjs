import js from '@eslint/js';
import boundaries from 'eslint-plugin-boundaries';
import tseslint from 'typescript-eslint';

/** Layers from the inside out, each with the layers it may import. Every source file lies in exactly one. */
const LAYERS = {
  protocol: { pattern: 'src/protocol', may: [] },
  measure: { pattern: 'src/measure', may: ['protocol'] },
  restoration: { pattern: 'src/restoration', may: ['protocol', 'measure'] },
  inference: { pattern: 'src/inference', may: ['protocol', 'measure', 'restoration'] },
  api: { pattern: 'src/api', may: ['protocol', 'measure', 'restoration', 'inference'] },
  kernel: { pattern: 'src/kernel', may: ['protocol', 'measure', 'restoration', 'inference', 'api'] },
  cli: { pattern: 'src/cli', may: ['protocol', 'measure', 'restoration', 'inference', 'api', 'kernel'] },
  editor: { pattern: 'src/editor', may: ['protocol', 'measure', 'restoration', 'inference', 'api', 'kernel'] },
  webview: { pattern: 'webview', may: ['protocol', 'measure'] },
};

/** Packages that only one place may import, with the reason for the message. */
const OWNED = [
  { name: 'vscode', owner: 'src/editor/**', why: 'only src/editor talks to the editor' },
  { name: 'sharp', owner: 'src/restoration/image/**', why: 'pictures are decoded in src/restoration/image only' },
  {
    name: 'onnxruntime-node',
    owner: 'src/restoration/models/**',
    why: 'networks run through src/restoration/models only',
  },
  {
    name: '@vscode/webview-ui-toolkit',
    owner: 'webview/panel/toolkit.ts',
    why: 'leaving the toolkit has to stay a change of one file',
  },
];

function restricted(owned) {
  return [
    'error',
    {
      paths: owned.map(({ name, why }) => ({ name, message: `${why}.` })),
      patterns: owned.map(({ name, why }) => ({ group: [`${name}/*`], message: `${why}.` })),
    },
  ];
}

export default tseslint.config(
  {
    ignores: ['dist/', 'out/', '.cache/', '.tools/', '.venv-recipes/', 'node_modules/', 'test-results/'],
  },
  js.configs.recommended,
  {
    files: ['**/*.ts'],
    extends: [...tseslint.configs.recommendedTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      eqeqeq: 'error',
    },
  },
  {
    files: ['src/**/*.ts', 'webview/**/*.ts'],
    plugins: { boundaries },
    settings: {
      'import/resolver': { typescript: { noWarnOnMultipleProjects: true, project: ['tsconfig.base.json'] } },
      'boundaries/include': ['src/**/*', 'webview/**/*'],
      'boundaries/elements': Object.entries(LAYERS).map(([type, { pattern }]) => ({ type, pattern })),
    },
    rules: {
      'boundaries/no-unknown-files': 'error',
      'boundaries/dependencies': [
        'error',
        {
          default: 'disallow',
          policies: Object.entries(LAYERS).map(([type, { may }]) => ({
            from: { element: { type } },
            allow: { to: { element: { type: [type, ...may] } } },
          })),
        },
      ],
    },
  },
  { files: ['src/**/*.ts', 'webview/**/*.ts'], rules: { 'no-restricted-imports': restricted(OWNED) } },
  ...OWNED.map(({ owner, name }) => ({
    files: [owner],
    rules: { 'no-restricted-imports': restricted(OWNED.filter((other) => other.name !== name)) },
  })),
  {
    files: ['test/**/*.ts'],
    rules: {
      '@typescript-eslint/no-floating-promises': [
        'error',
        {
          allowForKnownSafeCalls: [
            {
              from: 'package',
              name: ['it', 'describe', 'before', 'after', 'beforeEach', 'afterEach'],
              package: 'mocha',
            },
          ],
        },
      ],
    },
  },
  {
    files: ['**/*.mjs', '**/*.cjs', '**/*.js'],
    languageOptions: {
      globals: {
        process: 'readonly',
        console: 'readonly',
        URL: 'readonly',
        Buffer: 'readonly',
        setTimeout: 'readonly',
        clearTimeout: 'readonly',
        fetch: 'readonly',
        AbortController: 'readonly',
        require: 'readonly',
        module: 'writable',
        __dirname: 'readonly',
        performance: 'readonly',
      },
    },
  },
);
