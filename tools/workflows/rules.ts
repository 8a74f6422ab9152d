// Workflow rules: what the CI workflows must state that actionlint does not require.
//
//   workflows/rules.1. A workflow grants no permission, and each job lists its own, scope by scope.
//   workflows/rules.2. Each action is pinned to a full commit SHA, with its version as a comment.
//   workflows/rules.3. Each `make` in a step calls only verbs of the Makefile.
//   workflows/rules.4. No step inserts an expression into its script: the value could be a command.
//   workflows/rules.5. Each job has a timeout, and no checkout leaves its token in the clone.

import { parse } from "yaml";
import { isObject } from "#shared/kit/json.ts";
import type { SourceFile } from "../tidy/tree.ts";

export interface Step {
  readonly uses?: string;
  readonly run?: string;
  readonly with?: Readonly<Record<string, unknown>>;
}

export interface Job {
  readonly permissions?: unknown;
  readonly "timeout-minutes"?: number;
  readonly steps?: readonly Step[];
}

export interface Workflow {
  readonly permissions?: unknown;
  readonly jobs?: Readonly<Record<string, Job>>;
}

const USES = /^[ -]*uses: *(.*)$/gm;
const PINNED = /^[\w.-]+\/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/;
const VERB = /^([a-z0-9-]+):.*## /gm;
/** `make` as a command, with its words up to the end of the command. */
const MAKE = /(?:^|[\s;&|(])make((?:[ \t]+[^\s;&|)]+)*)/g;

export function verbsOf(makefile: string): ReadonlySet<string> {
  return new Set([...makefile.matchAll(VERB)].map((match) => match[1] ?? ""));
}

/** One sentence for each broken rule, with the place. */
export function checkWorkflow(
  { path, text }: SourceFile,
  verbs: ReadonlySet<string>,
): readonly string[] {
  const workflow = parse(text) as Workflow;
  const jobs = Object.entries(workflow.jobs ?? {});
  const grants = isObject(workflow.permissions) ? Object.keys(workflow.permissions) : ["all"];
  return [
    ...(grants.length === 0 ? [] : [`${path}: expected "permissions: {}" at the top`]),
    ...unpinned(text).map((uses) => `${path}: "${uses}" lacks a full SHA or "# vX.Y.Z"`),
    ...jobs.flatMap(([name, job]) =>
      [...faultsOfJob(job), ...(job.steps ?? []).flatMap((step) => faultsOfStep(step, verbs))].map(
        (fault) => `${path}, job ${name}: ${fault}`,
      ),
    ),
  ];
}

/** workflows/rules.2. Read from the text, because a parser drops comments. */
function unpinned(text: string): string[] {
  return [...text.matchAll(USES)]
    .map((match) => match[1] ?? "")
    .filter((uses) => !PINNED.test(uses));
}

function faultsOfJob({ permissions, "timeout-minutes": minutes }: Job): string[] {
  const listed = isObject(permissions) && Object.keys(permissions).length > 0;
  return [
    ...(listed ? [] : ["permissions must list each scope"]), // workflows/rules.1
    ...(minutes === undefined ? ["timeout-minutes is missing"] : []), // workflows/rules.5
  ];
}

function faultsOfStep(
  { uses = "", run = "", with: inputs }: Step,
  verbs: ReadonlySet<string>,
): string[] {
  const unknown = wordsOfMake(run).filter((word) => !verbs.has(word)); // workflows/rules.3
  const keepsToken =
    uses.startsWith("actions/checkout@") && inputs?.["persist-credentials"] !== false;
  return [
    ...unknown.map((word) => `the Makefile has no verb ${word}`),
    ...(run.includes("${{") ? ["pass the expression through env"] : []), // workflows/rules.4
    ...(keepsToken ? ["checkout needs persist-credentials: false"] : []), // workflows/rules.5
  ];
}

/** Every word behind `make` that is no variable. A bare `make` lists the verbs: it is `help`. */
function wordsOfMake(script: string): string[] {
  return [...script.matchAll(MAKE)].flatMap((match) => {
    const words = (match[1] ?? "").split(/\s+/).filter((word) => word !== "");
    const verbs = words.filter((word) => !/^[A-Z]+=/.test(word));
    return verbs.length === 0 ? ["help"] : verbs;
  });
}
