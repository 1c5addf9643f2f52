/**
 * `lanyard policy schema`: the JSON Schemas of the policy documents, and the comment that tells an editor to use them.
 */
import { mkdir, writeFile } from "node:fs/promises";
import { basename, dirname, join, relative, sep } from "node:path";
import { Argument, Command } from "commander";
import { renderJsonSchemas } from "../../../policies/json-schema.ts";
import type { PolicyDefaults } from "../defaults.ts";
import type { ExitCode, Terminal } from "../terminal.ts";
import { answer, NoAnswer } from "./answer.ts";

interface Options {
  readonly write?: string;
  readonly modeline?: true;
  readonly json?: true;
}

interface NamedSchema {
  readonly name: string;
  /** `roles.schema.json`. */
  readonly file: string;
  readonly text: string;
}

/** A document of each kind: what a path must begin at. */
const documents = new Map([
  ["servers", "servers.yaml"],
  ["roles", "roles.yaml"],
  ["robots", "robots/OWNER/REPO.yaml"],
  ["tests", "tests/NAME.yaml"],
  ["lock", "lanyard.lock"],
]);

const projectRoot = join(import.meta.dirname, "..", "..", "..");

export function policySchemaCommand(defaults: PolicyDefaults, terminal: Terminal): Command {
  const schemas = renderJsonSchemas().map(({ path, text }): NamedSchema => {
    const file = basename(path);
    return { name: file.slice(0, file.indexOf(".")), file, text };
  });
  const names = schemas.map(({ name }) => name);
  return new Command("schema")
    .description("print the JSON Schemas of the policy documents, for editors")
    .addArgument(
      new Argument("[name]", "the kind of document; all of them where none is named").choices(names),
    )
    .option("--write <directory>", "write NAME.schema.json into this directory")
    .option("--modeline", "print the comment that makes an editor complete and check a document")
    .option("--json", "print one JSON object")
    .addHelpText(
      "after",
      "\nThe comment is the first line of a document; editors with the YAML language server read it (VS Code, Neovim, Zed, …)." +
        "\nIts path leads from the document, in the default policy directory, to the schema: the one beside this program, or" +
        "\nwith --write the one that is written." +
        "\n\n  lanyard policy schema --write policies/schemas --modeline" +
        "\n\nExit code: 0; 2 when it was called wrongly or the files cannot be written.",
    )
    .action(async (name: string | undefined, options: Options) => {
      const asked = schemas.filter((schema) => name === undefined || schema.name === name);
      await answer({ terminal, json: options.json ?? false }, async () =>
        showSchemas(asked, options, { terminal, policies: defaults.policies }),
      );
    });
}

async function showSchemas(
  schemas: readonly NamedSchema[],
  { write, modeline, json }: Options,
  { terminal, policies }: { terminal: Terminal; policies: string },
): Promise<ExitCode> {
  const directory = write ?? join(projectRoot, "policies", "schemas");
  if (write !== undefined) {
    await writeSchemas(schemas, write);
  }
  const described = schemas.map(({ name, file, text }) => ({
    name,
    document: documents.get(name) ?? name,
    path: join(directory, file),
    modeline: describeModeline(join(policies, documents.get(name) ?? name), join(directory, file)),
    text,
  }));
  const [only, another] = described;
  if (json) {
    const printed = described.map(({ text, ...rest }) => ({ ...rest, schema: JSON.parse(text) as unknown }));
    terminal.write(`${JSON.stringify({ ok: true, schemas: printed })}\n`);
    return 0;
  }
  if (modeline === true) {
    const lines = described.map((each) => `${each.document}:\n  ${each.modeline}\n`);
    terminal.write(only !== undefined && another === undefined ? `${only.modeline}\n` : lines.join(""));
  } else if (write !== undefined) {
    terminal.write(described.map(({ path }) => `${path}\n`).join(""));
  } else {
    terminal.write(only !== undefined && another === undefined ? only.text : renderAll(described));
  }
  return 0;
}

/** One JSON object, the schemas by the names of their documents. */
function renderAll(schemas: readonly { name: string; text: string }[]): string {
  const parsed = schemas.map(({ name, text }) => [name, JSON.parse(text) as unknown]);
  return `${JSON.stringify(Object.fromEntries(parsed), null, 2)}\n`;
}

async function writeSchemas(schemas: readonly NamedSchema[], directory: string): Promise<void> {
  try {
    await mkdir(directory, { recursive: true });
    for (const { file, text } of schemas) {
      await writeFile(join(directory, file), text);
    }
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new NoAnswer(`--write: ${directory} cannot be written: ${reason}`);
  }
}

function describeModeline(document: string, schema: string): string {
  const path = relative(dirname(document), schema).split(sep).join("/");
  return `# yaml-language-server: $schema=${path.startsWith(".") ? path : `./${path}`}`;
}
