// People in browsers: the vocabulary of the browser tests. A person is one window with a context of
// its own (storage, colour scheme, screen), on the page that a real gateway serves.

import { expect } from "chai";
import { chromium } from "playwright-core";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { until } from "#shared/testing/wait.ts";

const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--no-first-run",
];
/** Far above what anything takes here: these deadlines end a broken run, they measure nothing. */
export const PATIENCE_MS = 20_000;

export function openBrowser(executablePath: string): Promise<Browser> {
  return chromium.launch({ executablePath, args: FLAGS });
}

export class Person {
  readonly name: string;
  readonly page: Page;
  /** What the page complained about: errors of scripts, of the policy, of the network. */
  readonly complaints: string[] = [];

  constructor(name: string, page: Page) {
    this.name = name;
    this.page = page;
    page.setDefaultTimeout(PATIENCE_MS);
    page.on("pageerror", (error) => this.complaints.push(String(error)));
    page.on("console", (message) => {
      if (message.type() === "error") this.complaints.push(message.text());
    });
  }

  static async arrive(
    browser: Browser,
    url: string,
    who: { readonly name: string; readonly room: string },
    options: BrowserContextOptions = {},
  ): Promise<Person> {
    const context = await browser.newContext({
      viewport: { width: 1280, height: 800 },
      locale: "en-GB",
      ...options,
    });
    const person = new Person(who.name, await context.newPage());
    const query = new URLSearchParams({ user: who.name, room: who.room });
    await person.page.goto(new URL(`/?${query.toString()}`, url).href);
    await person.isComplete();
    return person;
  }

  get field(): ReturnType<Page["locator"]> {
    return this.page.locator(".composer textarea");
  }

  /** Live, and with everything up to the room's head. */
  async isComplete(): Promise<void> {
    await this.page.locator(".complete:not(.complete-not)").waitFor();
  }

  async say(text: string): Promise<void> {
    await this.field.fill(text);
    await this.field.press("Enter");
  }

  async sees(text: string): Promise<void> {
    await this.page.locator(".text", { hasText: text }).last().waitFor();
  }

  /** What stands in the window, in order: numbers (undefined: not sent yet) and texts. */
  messages(): Promise<{ seq: number | undefined; text: string }[]> {
    return this.page.locator(".message").evaluateAll((elements) =>
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

  hasNoComplaints(): void {
    expect(this.complaints, `the page of ${this.name}`).to.deep.equal([]);
  }

  leave(): Promise<void> {
    return this.page.context().close();
  }
}

export function run(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, i) => first + i);
}
