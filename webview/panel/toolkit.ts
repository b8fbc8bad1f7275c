/**
 * The only place that knows the component library of the panels' controls: it registers the components and gives each as a plain
 * interface, so that another library (or none) is a change of this file.
 */
import './csp-nonce';
import {
  provideVSCodeDesignSystem,
  vsCodeButton,
  vsCodeDropdown,
  vsCodeOption,
  vsCodeProgressRing,
  vsCodeTextField,
  type Button,
  type Dropdown,
  type TextField,
} from '@vscode/webview-ui-toolkit';

export interface ButtonControl {
  readonly element: HTMLElement;
  setEnabled(enabled: boolean): void;
  setText(text: string): void;
}

export interface ChoiceControl {
  readonly element: HTMLElement;
  readonly value: string;
  /** Replaces the options (value and label) and chooses one; does nothing when nothing changes. */
  set(options: readonly (readonly [string, string])[], value: string): void;
  setEnabled(enabled: boolean): void;
}

export interface TextControl {
  readonly element: HTMLElement;
  value: string;
  setEnabled(enabled: boolean): void;
}

export function registerToolkit(): void {
  provideVSCodeDesignSystem().register(
    vsCodeButton(),
    vsCodeDropdown(),
    vsCodeOption(),
    vsCodeProgressRing(),
    vsCodeTextField(),
  );
}

export function createButton(text: string, appearance: 'primary' | 'secondary', onClick: () => void): ButtonControl {
  const element = document.createElement('vscode-button') as Button;
  element.appearance = appearance;
  element.textContent = text;
  element.addEventListener('click', () => {
    if (!element.disabled) onClick();
  });
  return {
    element,
    setEnabled: (enabled) => (element.disabled = !enabled),
    setText: (next) => {
      if (element.textContent !== next) element.textContent = next;
    },
  };
}

/** A choice of one. */
export function createDropdown(label: string, onChange: (value: string) => void): ChoiceControl {
  const element = document.createElement('vscode-dropdown') as Dropdown;
  element.setAttribute('aria-label', label);
  element.title = label;
  let shown = '';
  let current = '';
  element.addEventListener('change', () => {
    if (element.value === current) return;
    current = element.value;
    onChange(current);
  });
  return {
    element,
    get value() {
      return current;
    },
    set(options, value) {
      const key = JSON.stringify(options);
      if (key !== shown) {
        shown = key;
        element.replaceChildren(
          ...options.map(([id, text]) => {
            const option = document.createElement('vscode-option');
            option.setAttribute('value', id);
            option.textContent = text;
            return option;
          }),
        );
      }
      current = value;
      element.value = value;
    },
    setEnabled: (enabled) => (element.disabled = !enabled),
  };
}

export function createTextField(
  label: string,
  placeholder: string,
  events: { onInput(): void; onEnter(): void },
): TextControl {
  const element = document.createElement('vscode-text-field') as TextField;
  element.setAttribute('aria-label', label);
  element.setAttribute('placeholder', placeholder);
  element.addEventListener('input', () => events.onInput());
  element.addEventListener('keydown', (event) => {
    if (event.key === 'Enter' && !event.isComposing) events.onEnter();
  });
  return {
    element,
    get value() {
      return element.value;
    },
    set value(value) {
      element.value = value;
    },
    setEnabled: (enabled) => (element.disabled = !enabled),
  };
}

/** Turns as long as it is shown. */
export function createProgressRing(): HTMLElement {
  return document.createElement('vscode-progress-ring');
}
