import type * as vscode from 'vscode';

/** A part of the extension that is loaded and made when it is first needed: a window pays only for what it uses. */
export class OnDemand<T extends vscode.Disposable> implements vscode.Disposable {
  private coming: Promise<T> | undefined;
  private made: T | undefined;
  private isDisposed = false;

  constructor(private readonly make: () => Promise<T>) {}

  /** The part; made by the first call. */
  get(): Promise<T> {
    this.coming ??= this.make().then(
      (made) => {
        this.made = made;
        // The window was closed in the meantime.
        if (this.isDisposed) made.dispose();
        return made;
      },
      (error: unknown) => {
        // The next call tries again.
        this.coming = undefined;
        throw error;
      },
    );
    return this.coming;
  }

  dispose(): void {
    this.isDisposed = true;
    this.made?.dispose();
  }
}
