// PreviewChoice: whether the user wants previews of links on this device.
//
//   preview-choice.1. Off until the user switches it on. The choice is of one user on one device:
//        another user of the same browser makes their own.
//   preview-choice.2. Without the setting of the operator there is no choice, and previews are off.

import { parseObject } from "#shared/kit/json.ts";
import { load, save } from "../saved-rooms.ts";
import type { KeyValue } from "../saved-rooms.ts";

export class PreviewChoice {
  readonly #storage: KeyValue;
  readonly #listeners = new Set<() => void>();
  /** The cluster makes previews (preview-choice.2). */
  readonly isOffered: boolean;

  /** `content`: what the gateway wrote into the page. */
  constructor(storage: KeyValue, content: string | undefined) {
    this.#storage = storage;
    this.isOffered = parseObject(content ?? "")?.["on"] === true;
  }

  isOn(user: string): boolean {
    return this.isOffered && load(this.#storage, key(user)) === "on";
  }

  set(user: string, isOn: boolean): void {
    save(this.#storage, key(user), isOn ? "on" : undefined);
    for (const listener of this.#listeners) listener();
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }
}

function key(user: string): string {
  return `parley.previews.${user}`;
}
