/**
 * The only place that knows the component library of the panel's controls: it registers the components and gives each as a plain
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
}

export interface ChoiceControl<T extends string> {
  readonly element: HTMLElement;
  value: T;
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
  return { element, setEnabled: (enabled) => (element.disabled = !enabled) };
}

/** A choice of one; `options` are value and label. */
export function createDropdown<T extends string>(
  label: string,
  options: readonly (readonly [T, string])[],
  onChange: (value: T) => void,
): ChoiceControl<T> {
  const element = document.createElement('vscode-dropdown') as Dropdown;
  element.setAttribute('aria-label', label);
  for (const [value, text] of options) {
    const option = document.createElement('vscode-option');
    option.setAttribute('value', value);
    option.textContent = text;
    element.append(option);
  }
  const values = options.map(([value]) => value);
  let current = values[0] as T;
  element.addEventListener('change', () => {
    const chosen = values.find((value) => value === element.value);
    if (chosen === undefined) return;
    current = chosen;
    onChange(chosen);
  });
  return {
    element,
    get value() {
      return current;
    },
    set value(value) {
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
