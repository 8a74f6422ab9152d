// ApiLint: Redocly's linter on a description of the API (OpenAPI or AsyncAPI), and Ajv on the
// examples of an AsyncAPI document, which the linter does not check.
//
// Owns: the installation and the calls. Does not own: the descriptions (services/gateway).

import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { ensureNpmProgram } from "./npm-program.ts";
import { sayStep } from "./programs.ts";

/** Every rule of `recommended`, each warning as an error. */
const RULES = "recommended-strict";

interface Redocly {
  createConfig(config: object): Promise<object>;
  lintFromString(options: {
    readonly source: string;
    readonly absoluteRef: string;
    readonly config: object;
  }): Promise<readonly RedoclyProblem[]>;
}
interface RedoclyProblem {
  readonly ruleId: string;
  readonly message: string;
  readonly location: readonly { readonly pointer?: string }[];
}
interface Validator {
  validate(schema: object, value: unknown): boolean;
  errorsText(): string;
}
interface AsyncMessage {
  readonly payload: object;
  readonly examples?: readonly { readonly payload: unknown }[];
}

async function load<T>(module: string, say: (line: string) => void): Promise<T> {
  const modules = await ensureNpmProgram("api-lint", "the linter of API descriptions", say);
  return (await import(pathToFileURL(join(modules, module)).href)) as T;
}

/**
 * What the linter says of the JSON text of a description, a line each. It checks the examples of
 * OpenAPI, too. Throws ToolMissing when it cannot be installed.
 */
export async function lintApi(
  source: string,
  say: (line: string) => void = sayStep,
): Promise<string[]> {
  const redocly = await load<Redocly>("@redocly/openapi-core/lib/index.js", say);
  const config = await redocly.createConfig({ extends: [RULES] });
  const problems = await redocly.lintFromString({ source, absoluteRef: "api.json", config });
  return problems.map(
    ({ ruleId, message, location: [place] }) => `${place?.pointer ?? "#"} ${ruleId}: ${message}`,
  );
}

/**
 * The messages of an AsyncAPI document without an example, and examples that the `payload` of their
 * message refuses.
 */
export async function lintExamples(
  source: string,
  say: (line: string) => void = sayStep,
): Promise<string[]> {
  const { default: Ajv } = await load<{
    default: { default: new (options: object) => Validator };
  }>("ajv/dist/ajv.js", say);
  const ajv = new Ajv.default({ strict: false });
  const { components } = JSON.parse(source) as {
    components: { messages: Readonly<Record<string, AsyncMessage>> };
  };
  return Object.entries(components.messages).flatMap(([name, { payload, examples = [] }]) => {
    if (examples.length === 0) return [`${name} has no example`];
    return examples
      .filter((example) => !ajv.validate(payload, example.payload))
      .map(() => `${name}: ${ajv.errorsText()}`);
  });
}
