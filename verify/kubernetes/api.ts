// API: reads objects of the cluster directly, without a process of kubectl for each, for waits and
// measurements.

import { readFileSync } from "node:fs";
import { Agent, get } from "node:https";
import { join } from "node:path";
import { API_PORT } from "./certificates.ts";
import { NODE_ADDRESS } from "./sandbox.ts";

const REQUEST_TIMEOUT_MS = 10_000;
/** The pause between two looks of a wait: the API shares the processors with the pods. */
export const LOOK_EVERY_MS = 100;

export class Api {
  readonly #agent: Agent;

  constructor(certificates: string) {
    const read = (file: string): Buffer => readFileSync(join(certificates, file));
    this.#agent = new Agent({
      keepAlive: true,
      ca: read("ca.crt"),
      cert: read("admin.crt"),
      key: read("admin.key"),
    });
  }

  /** The object or list at a path, as `/apis/apps/v1/namespaces/chat/deployments/parley-room`. */
  async get<T>(path: string): Promise<T> {
    const url = `https://${NODE_ADDRESS}:${API_PORT}${path}`;
    return new Promise((resolve, reject) => {
      const request = get(url, { agent: this.#agent, timeout: REQUEST_TIMEOUT_MS }, (response) => {
        let text = "";
        response.on("data", (chunk: Buffer) => (text += chunk.toString()));
        response.on("end", () => {
          if (response.statusCode === 200) resolve(JSON.parse(text) as T);
          else reject(new Error(`${path}: ${response.statusCode} ${text.trim()}`));
        });
      });
      request.on("timeout", () => request.destroy(new Error(`${path}: no answer`)));
      request.on("error", reject);
    });
  }
}
