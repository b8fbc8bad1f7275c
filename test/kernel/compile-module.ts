import path from 'node:path';
import ts from '@tslab/typescript-for-tslab';

/**
 * Compiles `text` as the module `file` (which need not exist) with the compiler of notebooks, strictly and without writing.
 *
 * @returns what the compiler has to say, a line each, and the program
 */
export function compileModule(
  file: string,
  text: string,
  options: ts.CompilerOptions,
): { problems: string[]; program: ts.Program } {
  const host = ts.createCompilerHost(options);
  const read = host.getSourceFile.bind(host);
  host.getSourceFile = (name, languageVersion, ...rest) =>
    name === file ? ts.createSourceFile(name, text, languageVersion) : read(name, languageVersion, ...rest);
  const exists = host.fileExists.bind(host);
  host.fileExists = (name) => name === file || exists(name);
  const program = ts.createProgram(
    [file],
    {
      target: ts.ScriptTarget.ES2022,
      module: ts.ModuleKind.ESNext,
      moduleResolution: ts.ModuleResolutionKind.Node10,
      lib: ['lib.es2022.d.ts'],
      types: ['node'],
      // The version of Node's types that comes with tslab: newer ones no longer know this compiler.
      typeRoots: [path.join(path.dirname(require.resolve('tslab/package.json')), 'node_modules', '@types')],
      strict: true,
      noEmit: true,
      ...options,
    },
    host,
  );
  const problems = ts
    .getPreEmitDiagnostics(program)
    .map(
      ({ file: where, messageText }) =>
        `${where?.fileName ?? ''}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`,
    );
  return { problems, program };
}
