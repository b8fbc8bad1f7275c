import * as vscode from 'vscode';

/** Ways in which a picture may leave this machine. */
export const SHARING_KINDS = ['language-model', 'endpoint'] as const;
export type SharingKind = (typeof SHARING_KINDS)[number];

const key = (kind: SharingKind): string => `consent.${kind}`;

/**
 * Who may be sent pictures. The user is asked once for each kind, and again when the recipient is another one. The answer holds
 * for this machine and is no setting, so that no workspace can give it.
 */
export class SharingConsent {
  constructor(private readonly memory: vscode.Memento) {}

  /**
   * True when pictures may go to `recipient`; asks when that is not yet known.
   *
   * @param recipient the host of an endpoint, or the vendor of a language model
   */
  async allows(kind: SharingKind, recipient: string): Promise<boolean> {
    if (this.memory.get<unknown>(key(kind)) === recipient) return true;
    const allow = vscode.l10n.t('Send Pictures');
    const answer = await vscode.window.showWarningMessage(
      vscode.l10n.t('Send a small copy of the picture to {0}, to have the scene described?', recipient),
      {
        modal: true,
        detail: vscode.l10n.t(
          'A JPEG of at most 512 pixels leaves this machine, now and whenever you choose this source. "Revoke Picture Sharing Consent" takes it back.',
        ),
      },
      allow,
    );
    if (answer !== allow) return false;
    await this.memory.update(key(kind), recipient);
    return true;
  }

  /** Forgets all answers. Resolves to those who could have been sent pictures until now. */
  async revoke(): Promise<string[]> {
    const recipients: string[] = [];
    for (const kind of SHARING_KINDS) {
      const recipient = this.memory.get<unknown>(key(kind));
      if (typeof recipient === 'string') recipients.push(recipient);
      await this.memory.update(key(kind), undefined);
    }
    return recipients;
  }
}
