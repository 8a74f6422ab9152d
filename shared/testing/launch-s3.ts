// LaunchS3: a real S3 server (versitygw) on a folder, for tests.

import { spawn } from "node:child_process";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { S3Config } from "../adapters/attachment-s3.ts";
import { freePort } from "./ports.ts";
import { until } from "./wait.ts";

const [accessKey, secretKey] = ["parley", "a-secret-of-the-tests"];
const BUCKET = "attachments";
const WITHIN_MS = 60_000;

export interface S3Server extends AsyncDisposable {
  /** With a bucket that is empty at the start. */
  readonly config: S3Config;
}

/** `program`: the path of versitygw. */
export async function launchS3(program: string): Promise<S3Server> {
  const dir = await mkdtemp(join(tmpdir(), "parley-s3-"));
  await mkdir(join(dir, BUCKET));
  const port = await freePort();
  const args = [`--port=127.0.0.1:${port}`, "--quiet", "posix", dir];
  const env = { ROOT_ACCESS_KEY: accessKey, ROOT_SECRET_KEY: secretKey };
  const child = spawn(program, args, { env, stdio: "ignore" });
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const url = `http://127.0.0.1:${port}`;
  const answers = (): Promise<boolean> =>
    fetch(url).then(
      (response) => response.arrayBuffer().then(() => true),
      () => false,
    );
  await until(answers, { withinMs: WITHIN_MS, what: "an answer of versitygw" });
  return {
    config: { url: `${url}/${BUCKET}`, region: "us-east-1", accessKey, secretKey },
    async [Symbol.asyncDispose]() {
      child.kill();
      await ended;
      await rm(dir, { recursive: true, force: true });
    },
  };
}
