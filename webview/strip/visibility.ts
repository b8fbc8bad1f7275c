/** How far outside of the page something counts as near, in pixels: about what one turn of the wheel brings in. */
const NEAR = '600px 0px';

/**
 * Tells when an element comes near what is seen. A notebook may hold fifty strips: pictures are decoded and measured only of
 * those that somebody looks at.
 */
export class Visibility {
  /** Resolves once, when the element has been near for the first time, or is disposed. */
  readonly near: Promise<void>;
  private observer: IntersectionObserver | undefined;
  private settle: () => void = () => undefined;

  constructor(element: Element) {
    this.near = new Promise((resolve) => (this.settle = resolve));
    // With the document as root, the margin also counts in a frame of another origin, such as a notebook's outputs.
    this.observer = new IntersectionObserver(
      (entries) => {
        if (entries.some(({ isIntersecting }) => isIntersecting)) this.dispose();
      },
      { root: document, rootMargin: NEAR },
    );
    this.observer.observe(element);
  }

  dispose(): void {
    this.observer?.disconnect();
    this.observer = undefined;
    this.settle();
  }
}
