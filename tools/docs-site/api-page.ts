// ApiPage: the OpenAPI description of the HTTP API as a page, which the site's search reads.

interface Schema {
  readonly type?: string | readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly allOf?: readonly Schema[];
  readonly $ref?: string;
  readonly description?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly maxItems?: number;
  readonly pattern?: string;
  readonly default?: unknown;
  readonly additionalProperties?: Schema | boolean;
}

interface Content {
  readonly content?: Readonly<Record<string, { readonly schema: Schema }>>;
  readonly description?: string;
}

interface Parameter {
  readonly name: string;
  readonly in: string;
  readonly required?: boolean;
  readonly description?: string;
  readonly schema: Schema;
}

interface Operation {
  readonly summary?: string;
  readonly description?: string;
  readonly security: readonly object[];
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: Content;
  readonly responses: Readonly<Record<string, Content>>;
}

interface Description {
  readonly info: { readonly description?: string };
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
}

const DEPTH_MAX = 4;

/** Markdown. */
export function apiPage(document: unknown): string {
  const { info, paths } = document as Description;
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => section(method, path, operation)),
  );
  const introduction = `# HTTP API

${safe(info.description ?? "")}

A gateway serves this description at \`/openapi.json\`. Errors are problems (RFC 9457) with a \`name\` of the table of errors. A request with \`bearer\` needs the header
\`authorization: Bearer <token>\`.
`;
  return [introduction, ...operations].join("\n");
}

function section(method: string, path: string, operation: Operation): string {
  const {
    summary = "",
    description,
    security,
    parameters = [],
    requestBody,
    responses,
  } = operation;
  const access = security.length === 0 ? "No token." : "Needs `bearer`.";
  const rows = parameters.flatMap(parameterRows);
  const table =
    rows.length === 0
      ? ""
      : `\n| parameter | in | type | |\n|---|---|---|---|\n${rows.join("\n")}\n`;
  const answers = Object.entries(responses).map(([status, answer]) => {
    const isDone = status.startsWith("2");
    return `| ${status} | ${cell(answer.description ?? "")} ${isDone ? typeOf(answer) : ""} |`;
  });
  return `## ${summary === "" ? `${method} ${path}` : summary.replace(/\.$/, "")}

\`${method.toUpperCase()} ${path}\`

${safe(description ?? "")} ${access}
${table}${bodyText(requestBody)}
| status | |
|---|---|
${answers.join("\n")}
`;
}

function parameterRows(parameter: Parameter): readonly string[] {
  const { name, in: place, required, description, schema } = parameter;
  const { properties } = schema;
  // An object in the query stands for its fields (exclusive ones, for example).
  if (place === "query" && properties !== undefined) {
    return Object.entries(properties).flatMap(([field, inner]) =>
      parameterRows({ name: field, in: place, schema: inner }),
    );
  }
  const needed = required === true ? "" : "?";
  const text = description ?? schema.description ?? "";
  return [`| \`${name}${needed}\` | ${place} | ${typeText(schema)} | ${cell(text)} |`];
}

function bodyText(body: Content | undefined): string {
  const schema = schemaOf(body);
  if (schema === undefined) return "";
  const rows = fieldRows(schema, "", 1);
  if (rows.length === 0) return `\nBody: ${typeText(schema)}\n`;
  return `\n| field of the body | type | |\n|---|---|---|\n${rows.join("\n")}\n`;
}

function fieldRows(schema: Schema, before: string, depth: number): readonly string[] {
  const variants = [
    schema,
    ...(schema.allOf ?? []),
    ...(schema.oneOf ?? []),
    ...(schema.anyOf ?? []),
  ];
  const rows = variants.flatMap(({ properties = {}, required = [] }) =>
    Object.entries(properties).flatMap(([name, field]) => {
      const path = `${before}${name}${required.includes(name) ? "" : "?"}`;
      const row = `| \`${path}\` | ${typeText(field)} | ${cell(field.description ?? "")} |`;
      const inner = field.type === "array" ? (field.items ?? {}) : field;
      const dots = field.type === "array" ? "[]." : ".";
      return [row, ...(depth < DEPTH_MAX ? fieldRows(inner, `${path}${dots}`, depth + 1) : [])];
    }),
  );
  return [...new Set(rows)];
}

function typeOf(answer: Content): string {
  const schema = schemaOf(answer);
  if (schema === undefined) return "";
  const names = Object.keys(schema.properties ?? {});
  return names.length === 0
    ? typeText(schema)
    : `An object with ${names.map((name) => `\`${name}\``).join(", ")}.`;
}

function schemaOf(content: Content | undefined): Schema | undefined {
  return Object.values(content?.content ?? {})[0]?.schema;
}

function typeText(schema: Schema): string {
  const { type, items, enum: values, const: only, anyOf, oneOf, $ref } = schema;
  if ($ref !== undefined) return `\`${$ref.split("/").at(-1)}\``;
  if (only !== undefined) return `\`${JSON.stringify(only)}\``;
  if (values !== undefined) return values.map((value) => `\`${JSON.stringify(value)}\``).join(", ");
  const variants = anyOf ?? oneOf;
  if (variants !== undefined) return [...new Set(variants.map(typeText))].join(" or ");
  if (type === "array")
    return `list of ${items === undefined ? "any" : typeText(items)}${bounds(schema)}`;
  return `${typeof type === "string" ? type : (type ?? ["any"]).join(" or ")}${bounds(schema)}`;
}

function bounds({
  minimum,
  maximum,
  minLength,
  maxLength,
  maxItems,
  default: initial,
}: Schema): string {
  const [least, most] = [minimum ?? minLength, maximum ?? maxLength ?? maxItems];
  const isLargest = most === Number.MAX_SAFE_INTEGER;
  const range = [
    ...(least === undefined || least === Number.MIN_SAFE_INTEGER ? [] : [`≥ ${least}`]),
    ...(most === undefined || isLargest ? [] : [`≤ ${most}`]),
    ...(initial === undefined ? [] : [`default ${JSON.stringify(initial)}`]),
  ];
  return range.length === 0 ? "" : ` (${range.join(", ")})`;
}

function cell(text: string): string {
  return safe(text).replaceAll("|", "\\|").replaceAll("\n", " ");
}

function safe(text: string): string {
  return text
    .split(/(`[^`]*`)/)
    .map((part, index) =>
      index % 2 === 1 ? part : part.replaceAll("<", "&lt;").replaceAll("{{", "&#123;&#123;"),
    )
    .join("");
}
