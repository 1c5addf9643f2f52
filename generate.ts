// Writes the documents that are derived from the sources, so that they cannot say something else.
//
//   node generate.ts           writes them
//   node generate.ts --check   compares them with the sources and writes nothing

import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parse } from "yaml";
import { z } from "zod";
import { listVariables } from "./broker/config.ts";
import { type LabelValues, METRICS, type MetricDefinition } from "./broker/operations/metric-definitions.ts";
import { REFUSALS } from "./broker/refusals.ts";
import { renderJsonSchemas } from "./policies/json-schema.ts";

const root = import.meta.dirname;

const ActionFile = z.object({
  inputs: z.record(
    z.string(),
    z.object({ description: z.string(), required: z.boolean(), default: z.string().optional() }),
  ),
  outputs: z.record(z.string(), z.object({ description: z.string() })),
});

async function renderReference(): Promise<string> {
  const action = ActionFile.parse(parse(await readFile(join(root, "action.yml"), "utf8")));
  const inputs = Object.entries(action.inputs).map(([name, input]) => [
    code(name),
    input.required ? "required" : input.default ? code(input.default) : "",
    input.description,
  ]);
  const outputs = Object.entries(action.outputs).map(([name, output]) => [code(name), output.description]);
  const variables = listVariables().map(({ name, default: preset, description, example }) => [
    code(name),
    preset === undefined ? "required" : code(preset),
    `${description} Example: ${code(example)}`,
  ]);
  const refusals = Object.entries(REFUSALS).map(([name, refusal]) => [
    code(name),
    String(refusal.status),
    "assertionError" in refusal
      ? `${code(refusal.error)}, of an assertion ${code(refusal.assertionError)}`
      : code(refusal.error),
    refusal.sentence,
  ]);
  const metrics = Object.entries<MetricDefinition>(METRICS).map(([name, { kind, labels = {}, help }]) => [
    code(name),
    kind,
    Object.entries(labels)
      .map(([label, values]) => `${code(label)}: ${listValues(values)}`)
      .join("; "),
    help,
  ]);
  return `${[
    "# Reference",
    "Written by `npm run generate` from `action.yml` and the sources.",
    "## Inputs of the Action",
    renderTable(["input", "default", ""], inputs),
    "A runner that reaches the network through an HTTP proxy names it as usual: `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY`, or the same in lower case. All requests of the Action and of its proxy's process go through it: to the broker (its relay and uploads to the bucket among them), to GitHub for the job's token, and to remote MCP servers. What is on the runner itself is never reached through it. A certificate of an authority of your own needs `NODE_EXTRA_CA_CERTS`.",
    "## Outputs of the Action",
    renderTable(["output", ""], outputs),
    "## Environment of `serve`",
    renderTable(["variable", "default", ""], variables),
    "## Refusals of the broker",
    "The caller sees `error`, the sentence and a reference. The code stands in the broker's log under the same reference, with what exactly did not fit.",
    renderTable(["code", "status", "error", "what the caller is told"], refusals),
    "## Metrics of the broker",
    "Under `/metrics` at `LANYARD_METRICS_LISTEN`, for Prometheus; with them what prom-client knows of the process, under the same prefix. Counters begin anew with each process. No label holds anything that a caller sent.",
    renderTable(["metric", "kind", "labels", ""], metrics),
  ].join("\n\n")}\n`;
}

function listValues(values: LabelValues): string {
  if (values === "digest") return "a SHA-256 in hex";
  if (values === "credentials" || values === "servers") return "names of the policy documents";
  if (values === "issuers") return "those of `LANYARD_ISSUERS`";
  const codes = Object.keys(REFUSALS);
  const own = values.filter((value) => !codes.includes(value)).map(code);
  return [...own, ...(values.some((value) => codes.includes(value)) ? ["the codes of refusals"] : [])].join(
    ", ",
  );
}

function renderTable(head: string[], rows: string[][]): string {
  return [head, head.map(() => "---"), ...rows]
    .map((cells) => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`)
    .join("\n");
}

function code(text: string): string {
  return `\`${text}\``;
}

const documents = [{ path: "docs/reference.md", text: await renderReference() }, ...renderJsonSchemas()];

if (process.argv.includes("--check")) {
  for (const { path, text } of documents) {
    if ((await readFile(join(root, path), "utf8").catch(() => "")) !== text) {
      console.error(`${path} is not what the sources say`);
      process.exitCode = 1;
    }
  }
  if (process.exitCode === 1) {
    console.error("Run `npm run generate` and commit what it writes.");
  }
} else {
  for (const { path, text } of documents) {
    await writeFile(join(root, path), text);
    console.log(path);
  }
}
