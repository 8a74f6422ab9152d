// Go program: builds one tool from its own go.mod, once, into the ignored folder .tools.
//
// Order: the environment variable that names it, .tools, PATH, Go. The version of a found program
// does not matter, unless it says so: these are tools of tests and deployment, and no stored data
// depends on them.
//
//   go-program.1. A wrong path in the variable is an error; the search does not continue elsewhere.
//   go-program.2. A build appears under its name completely or not at all, so two builds may run at
//        once. They do not: the second process waits for the first (turn.ts).

import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { rename, rm } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { sayStep, ToolMissing, whichOn } from "./programs.ts";
import { inTurn } from "./turn.ts";

const run = promisify(execFile);
const TOOLS = fileURLToPath(new URL("../../.tools", import.meta.url));
/** The folder of the go.dev installer, which is often not in PATH. */
const GO_HOME = "/usr/local/go/bin";
/** The first part of Kubernetes takes ten minutes on two idle cores, and far more on busy ones. */
const BUILD_TIMEOUT_MS = 120 * 60_000;

export interface GoProgram {
  readonly name: string;
  /** The variable that names an existing binary. */
  readonly variable: string;
  /** The folder below tools/programs that holds its go.mod. */
  readonly folder: string;
  readonly module: string;
  /** Flags of the linker, for example a version. */
  readonly ldflags?: string;
  /** True: its version matters, so it is not taken from PATH. */
  readonly isOnlyOwn?: boolean;
}

export const JAEGER: GoProgram = {
  name: "jaeger",
  variable: "JAEGER",
  folder: "jaeger",
  module: "github.com/jaegertracing/jaeger/cmd/jaeger",
};

export const K6: GoProgram = { name: "k6", variable: "K6", folder: "k6", module: "go.k6.io/k6" };

export const HELM: GoProgram = {
  name: "helm",
  variable: "HELM",
  folder: "helm",
  module: "helm.sh/helm/v3/cmd/helm",
};

export const KUBECONFORM: GoProgram = {
  name: "kubeconform",
  variable: "KUBECONFORM",
  folder: "kubeconform",
  module: "github.com/yannh/kubeconform/cmd/kubeconform",
};

export const ACTIONLINT: GoProgram = {
  name: "actionlint",
  variable: "ACTIONLINT",
  folder: "actionlint",
  module: "github.com/rhysd/actionlint/cmd/actionlint",
};

/** Compose v2 as a program of its own, for machines where docker has no plugin `compose`. */
export const COMPOSE: GoProgram = {
  name: "docker-compose",
  variable: "DOCKER_COMPOSE",
  folder: "compose",
  module: "github.com/docker/compose/v2/cmd",
};

export const SYFT: GoProgram = {
  name: "syft",
  variable: "SYFT",
  folder: "syft",
  module: "github.com/anchore/syft/cmd/syft",
};

/** The S3 server of the tests of attachments. */
export const VERSITYGW: GoProgram = {
  name: "versitygw",
  variable: "VERSITYGW",
  folder: "versitygw",
  module: "github.com/versity/versitygw/cmd/versitygw",
};

export const FLAGGER: GoProgram = {
  name: "flagger",
  variable: "FLAGGER",
  folder: "flagger",
  module: "github.com/fluxcd/flagger/cmd/flagger",
};

export const TOFU: GoProgram = {
  name: "tofu",
  variable: "TOFU",
  folder: "tofu",
  module: "github.com/opentofu/opentofu/cmd/tofu",
};

/** A provider of OpenTofu: tofu.ts puts it where OpenTofu finds it. */
export const KUBECTL_PROVIDER: GoProgram = {
  name: "terraform-provider-kubectl",
  variable: "TERRAFORM_PROVIDER_KUBECTL",
  folder: "terraform-provider-kubectl",
  module: "github.com/gavinbunney/terraform-provider-kubectl",
};

/** Resolves with the path of the binary. Throws ToolMissing, whose message lists the options. */
export async function ensureGoProgram(
  program: GoProgram,
  say: (line: string) => void = sayStep,
): Promise<string> {
  const { name, variable, isOnlyOwn = false } = program;
  const named = process.env[variable] ?? "";
  if (named !== "") {
    if (existsSync(named)) return named;
    // go-program.1
    throw new ToolMissing(`${variable}=${named} does not exist: correct or unset ${variable}`);
  }
  const built = `${TOOLS}/${name}`;
  if (existsSync(built)) return built;
  const path = process.env["PATH"] ?? "";
  const found = isOnlyOwn ? undefined : whichOn(path, name);
  if (found !== undefined) return found;
  const go = whichOn(`${path}:${GO_HOME}`, "go");
  if (go === undefined) {
    throw new ToolMissing(
      `${name} was not found: install it, name it with ${variable}=, or install Go`,
    );
  }
  say(`building ${name} with Go, once; this takes several minutes …`);
  await inTurn(`${built}.turn`, async () => {
    if (!existsSync(built)) await build(go, program, built);
  });
  return built;
}

async function build(go: string, program: GoProgram, built: string): Promise<void> {
  const { name, folder, module, ldflags = "" } = program;
  const partial = `${built}.${process.pid}.partial`;
  try {
    await run(go, ["build", `-ldflags=${ldflags}`, "-o", partial, module], {
      cwd: fileURLToPath(new URL(folder, import.meta.url)),
      env: { ...process.env, CGO_ENABLED: "0" },
      timeout: BUILD_TIMEOUT_MS,
    });
    await rename(partial, built); // go-program.2
  } catch (error: unknown) {
    const reason = (error as { stderr?: string }).stderr?.trim().split("\n").slice(-3).join("\n");
    throw new ToolMissing(`Go could not build ${name}:\n${reason ?? String(error)}`, {
      cause: error,
    });
  } finally {
    await rm(partial, { force: true });
  }
}
