/** Why something could not be done; `bad-argument` is the caller's mistake (exit code 2), all others are exit code 1. */
export const ERROR_CODES = [
  'bad-argument',
  'unreadable-picture',
  'picture-too-large',
  'size-mismatch',
  'missing-file',
  'unwritable',
  'bad-model',
  'bad-adapter',
  'unknown-model',
  'download-failed',
  'no-consent',
  'endpoint-failed',
  'device-unavailable',
  'bad-output',
  'service-died',
  'bad-notebook',
  'cell-failed',
  'cancelled',
  'internal',
] as const;
export type ErrorCode = (typeof ERROR_CODES)[number];

export interface Failure {
  code: ErrorCode;
  /** One sentence: what was expected and what came. */
  message: string;
  /** One sentence: what to do about it. */
  remedy: string;
}

/** The only error type that crosses a boundary of the package. `message` reads "what happened. What to do." */
export class RestorationError extends Error {
  readonly code: ErrorCode;
  readonly problem: string;
  readonly remedy: string;

  constructor(code: ErrorCode, problem: string, remedy: string, options?: { cause?: unknown }) {
    super(remedy ? `${problem} ${remedy}` : problem, options);
    this.name = 'RestorationError';
    this.code = code;
    this.problem = problem;
    this.remedy = remedy;
  }

  toFailure(): Failure {
    return { code: this.code, message: this.problem, remedy: this.remedy };
  }

  static fromFailure(failure: Failure): RestorationError {
    return new RestorationError(failure.code, failure.message, failure.remedy);
  }

  /** Any thrown value as a RestorationError; unknown ones become `internal` and keep their cause. */
  static from(error: unknown): RestorationError {
    if (error instanceof RestorationError) return error;
    const message = error instanceof Error ? error.message : String(error);
    return new RestorationError(
      'internal',
      `Unexpected failure: ${message.replace(/\.?\s*$/, '.')}`,
      'Please report it with the steps that led here.',
      { cause: error },
    );
  }
}
