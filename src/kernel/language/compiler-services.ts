import type ts from '@tslab/typescript-for-tslab';
import type { Compiler } from '../cells/tslab';

type Log = (message: string) => void;

/** The file system and the options as the compiler's services ask for them. */
export type ServiceHost = Omit<ts.System, 'useCaseSensitiveFileNames'> & {
  useCaseSensitiveFileNames(): boolean;
  getCompilationSettings(): ts.CompilerOptions;
};

/**
 * Functions of the compiler that its declarations leave out, as TypeScript 5.0 has them. Its public language service would
 * need a program of its own, with other rules than the converter's and twice the memory; tslab calls the same functions.
 */
interface CompilerServices {
  Completions: {
    getCompletionsAtPosition(
      host: ServiceHost,
      program: ts.Program,
      log: Log,
      file: ts.SourceFile,
      position: number,
      preferences: ts.UserPreferences,
      triggerCharacter: string | undefined,
      triggerKind: ts.CompletionTriggerKind,
      cancellation: ts.CancellationToken,
    ): ts.CompletionInfo | undefined;
    getCompletionEntryDetails(
      program: ts.Program,
      log: Log,
      file: ts.SourceFile,
      position: number,
      entry: { name: string },
      host: ServiceHost,
      formatContext: undefined,
      preferences: ts.UserPreferences,
      cancellation: ts.CancellationToken,
    ): ts.CompletionEntryDetails | undefined;
  };
  SignatureHelp: {
    getSignatureHelpItems(
      program: ts.Program,
      file: ts.SourceFile,
      position: number,
      reason: ts.SignatureHelpTriggerReason | undefined,
      cancellation: ts.CancellationToken,
    ): ts.SignatureHelpItems | undefined;
  };
  getQuickInfoAtPosition(
    file: ts.SourceFile,
    checker: ts.TypeChecker,
    cancellation: ts.CancellationToken,
    position: number,
  ): ts.QuickInfo | undefined;
}

export const NEVER_CANCELLED: ts.CancellationToken & { throwIfCancellationRequested(): void } = {
  isCancellationRequested: () => false,
  throwIfCancellationRequested: () => undefined,
};

export function hostOf({ sys }: Compiler, program: ts.Program): ServiceHost {
  return {
    ...sys,
    useCaseSensitiveFileNames: () => sys.useCaseSensitiveFileNames,
    getCompilationSettings: () => program.getCompilerOptions(),
  };
}

export function services(compiler: Compiler): CompilerServices {
  return compiler as Compiler & CompilerServices;
}
