/**
 * What is used of a Playwright `Page` (`playwright`, `playwright-core`, `@playwright/test`), whose object fits as it
 * is. The library brings no browser along.
 */
export interface BrowserPage {
  url(): string;
  title(): Promise<string>;
  goto(url: string): Promise<unknown>;
  screenshot(options: {
    clip?: { x: number; y: number; width: number; height: number };
    scale: "css";
    caret: "hide";
  }): Promise<Uint8Array>;
  locator(selector: string): BrowserLocator;
  frames(): readonly BrowserFrame[];
  mainFrame(): unknown;
  readonly mouse: {
    click(
      x: number,
      y: number,
      options: { button: "left" | "middle" | "right"; clickCount: number },
    ): Promise<void>;
  };
  readonly keyboard: { type(text: string): Promise<void>; press(key: string): Promise<void> };
}

export interface BrowserLocator {
  count(): Promise<number>;
  elementHandle(options: { timeout: number }): Promise<BrowserElement | null>;
}

export interface BrowserElement {
  evaluate<Result, Argument>(
    inPage: (element: Element, argument: Argument) => Result,
    argument: Argument,
  ): Promise<Result>;
  evaluateHandle<Result, Argument>(
    inPage: (element: Element, argument: Argument) => Result,
    argument: Argument,
  ): Promise<BrowserHandle<Result>>;
  boundingBox(): Promise<{ x: number; y: number; width: number; height: number } | null>;
  dispose(): Promise<void>;
}

export interface BrowserHandle<Held> {
  evaluate<Result>(inPage: (held: Held) => Result): Promise<Result>;
}

export interface BrowserFrame {
  locator(selector: string): { count(): Promise<number> };
  frameElement(): Promise<BrowserElement>;
}
