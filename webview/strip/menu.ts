import { element, setAttributes, takeKey } from './dom';

export interface MenuItem {
  text: string;
  act: () => void;
}

/** A quiet button that opens a list of actions; arrow keys walk through it, Escape closes it. */
export class Menu {
  readonly element: HTMLElement;
  private readonly list: HTMLElement;

  constructor(
    readonly button: HTMLButtonElement,
    label: string,
    private readonly items: () => MenuItem[],
  ) {
    this.list = element('div', { class: 'menu', role: 'menu', 'aria-label': label, hidden: true });
    this.element = element('span', { class: 'menu-place' }, button, this.list);
    setAttributes(button, { 'aria-haspopup': 'menu', 'aria-expanded': 'false' });
    button.addEventListener('click', () => (this.list.hidden ? this.open() : this.close(true)));
    this.element.addEventListener('keydown', (event) => this.onKey(event));
    this.element.addEventListener('focusout', (event) => {
      if (!(event.relatedTarget instanceof Node && this.element.contains(event.relatedTarget))) this.close(false);
    });
  }

  private open(): void {
    this.list.replaceChildren(
      ...this.items().map(({ text, act }) => {
        const item = element('button', { type: 'button', class: 'menu-item', role: 'menuitem', tabindex: -1 }, text);
        item.addEventListener('click', () => {
          this.close(true);
          act();
        });
        return item;
      }),
    );
    this.list.hidden = false;
    setAttributes(this.button, { 'aria-expanded': 'true' });
    this.focus(0);
  }

  private close(backToButton: boolean): void {
    if (this.list.hidden) return;
    this.list.hidden = true;
    setAttributes(this.button, { 'aria-expanded': 'false' });
    if (backToButton) this.button.focus();
  }

  private focus(at: number): void {
    const { children } = this.list;
    const target = children[(at + children.length) % children.length];
    if (target instanceof HTMLElement) target.focus();
  }

  private onKey(event: KeyboardEvent): void {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    if (this.list.hidden) {
      if (event.key !== 'ArrowDown') return;
      takeKey(event);
      this.open();
      return;
    }
    const root = this.element.getRootNode();
    const focused = root instanceof ShadowRoot ? root.activeElement : document.activeElement;
    const at = [...this.list.children].findIndex((item) => item === focused);
    const actions: Record<string, () => void> = {
      Escape: () => this.close(true),
      ArrowDown: () => this.focus(at + 1),
      ArrowUp: () => this.focus(at - 1),
      Home: () => this.focus(0),
      End: () => this.focus(-1),
    };
    const action = Object.hasOwn(actions, event.key) ? actions[event.key] : undefined;
    if (action === undefined) return;
    takeKey(event);
    action();
  }
}
