// Axe: what axe-core finds wrong on a page.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { expect } from "chai";
import type { AxeResults, RunOptions } from "axe-core";
import type { Page } from "playwright-core";
import type { BrowserUser } from "./browser-user.ts";

const SOURCE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
/** Every rule of the default, and one that axe-core calls experimental. */
const OPTIONS: RunOptions = { rules: { "label-content-name-mismatch": { enabled: true } } };

interface Fault {
  readonly id: string;
  readonly impact: string;
  readonly html: string;
}

/** Fails with one line for each violation. `state`: what the page shows now. */
export async function expectAccessible({ name, page }: BrowserUser, state: string): Promise<void> {
  const found = (await accessFaults(page)).map(({ id, html }) => `${id}: ${html}`);
  expect(found, `${name}: ${state}`).to.deep.equal([]);
}

/** What axe-core finds on any page. */
export async function accessFaults(page: Page): Promise<Fault[]> {
  // The debugger evaluates it: the content security policy allows no other script.
  await page.evaluate(SOURCE);
  // An animation that runs changes colours.
  await page.evaluate(() => {
    for (const animation of document.getAnimations()) {
      if (animation.effect?.getComputedTiming().endTime !== Infinity) animation.finish();
    }
  });
  const results = await page.evaluate(
    (options) =>
      (window as unknown as { axe: { run(options: unknown): Promise<unknown> } }).axe.run(options),
    OPTIONS,
  );
  return (results as AxeResults).violations.flatMap(({ id, impact, nodes }) =>
    nodes.map((node) => ({ id, impact: impact ?? "", html: node.html.slice(0, 160) })),
  );
}
