// BrowserUser: one user in one browser window, on the page that a real gateway serves. Each window
// has its own context: storage, colour scheme, screen.

import { expect } from "chai";
import { chromium } from "playwright-core";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { until } from "#shared/testing/wait.ts";

export const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--no-first-run",
];
/** Much longer than any wait of a passing test: it only ends a broken one. */
export const PATIENCE_MS = 90_000;

export function openBrowser(executablePath: string): Promise<Browser> {
  return chromium.launch({ executablePath, args: FLAGS });
}

export class BrowserUser {
  readonly name: string;
  readonly page: Page;
  /** Errors of scripts, of the content security policy and of the network. */
  readonly errors: string[] = [];

  constructor(name: string, page: Page) {
    this.name = name;
    this.page = page;
    page.setDefaultTimeout(PATIENCE_MS);
    page.on("pageerror", (error) => this.errors.push(String(error)));
    page.on("console", (message) => {
      if (message.type() === "error") this.errors.push(message.text());
    });
  }

  static async open(
    browser: Browser,
    url: string,
    identity: { readonly name: string; readonly room: string },
    options: BrowserContextOptions = {},
  ): Promise<BrowserUser> {
    const context = await browser.newContext({
      viewport: { width: 1280, height: 800 },
      locale: "en-GB",
      ...options,
    });
    const user = new BrowserUser(identity.name, await context.newPage());
    const query = new URLSearchParams({ user: identity.name, room: identity.room });
    await user.page.goto(new URL(`/?${query.toString()}`, url).href);
    await user.waitUntilComplete();
    return user;
  }

  get field(): ReturnType<Page["locator"]> {
    return this.page.locator(".chat-main .composer textarea");
  }

  /** The message with this text in the conversation. */
  message(text: string): ReturnType<Page["locator"]> {
    return this.page.locator(".chat-main .message", { hasText: text });
  }

  get thread(): ReturnType<Page["locator"]> {
    return this.page.locator(".chat-panel .thread");
  }

  /** Uses a button of the toolbar of a message. */
  async use(message: ReturnType<Page["locator"]>, tool: string): Promise<void> {
    await message.hover();
    await message.getByRole("button", { name: tool, exact: true }).click();
  }

  async react(message: ReturnType<Page["locator"]>, emoji: string): Promise<void> {
    await this.use(message, "React");
    await this.page.getByRole("dialog").getByRole("button", { name: emoji, exact: true }).click();
  }

  /** Live, and with every message up to the room's head. */
  async waitUntilComplete(): Promise<void> {
    await this.page.locator(".complete:not(.complete-not)").waitFor();
  }

  async send(text: string): Promise<void> {
    await this.field.fill(text);
    await this.field.press("Enter");
  }

  async waitForText(text: string): Promise<void> {
    await this.page.locator(".text", { hasText: text }).last().waitFor();
  }

  /** The messages of the window in order: sequence number (undefined: not sent yet) and text. */
  messages(): Promise<{ seq: number | undefined; text: string }[]> {
    return this.page.locator(".chat-main .message").evaluateAll((elements) =>
      elements.map((element) => {
        const seq = element.getAttribute("data-seq");
        const text = element.querySelector(".text")?.textContent ?? "";
        return { seq: seq === null ? undefined : Number(seq), text };
      }),
    );
  }

  async seqs(): Promise<(number | undefined)[]> {
    return (await this.messages()).map((message) => message.seq);
  }

  async until(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
    await until(condition, { withinMs: PATIENCE_MS, what: `${this.name}: ${what}` });
  }

  expectNoErrors(): void {
    expect(this.errors, `the page of ${this.name}`).to.deep.equal([]);
  }

  /** Besides those that a test causes. */
  expectNoErrorsBut(expected: RegExp): void {
    const others = this.errors.filter((text) => !expected.test(text));
    expect(others, `the page of ${this.name}`).to.deep.equal([]);
  }

  leave(): Promise<void> {
    return this.page.context().close();
  }
}

export function run(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, i) => first + i);
}
