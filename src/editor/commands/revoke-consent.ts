import * as vscode from 'vscode';
import type { SharingConsent } from '../prompts/consent';

/** Revoke Picture Sharing Consent: from now on the user is asked again before a picture leaves this machine. */
export async function revokeConsent(consent: SharingConsent): Promise<void> {
  const recipients = await consent.revoke();
  const told =
    recipients.length === 0
      ? vscode.l10n.t('No one was allowed to be sent pictures.')
      : vscode.l10n.t('Pictures are no longer sent to {0} without asking.', recipients.join(', '));
  vscode.window.setStatusBarMessage(told, 8_000);
}
