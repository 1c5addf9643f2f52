/**
 * JSON Schemas of the policy documents, for editors: generated from the schemas that loading uses.
 * They say less than loading checks; what they refuse, loading refuses too.
 */
import * as z from "zod/mini";
import { LockDocument } from "./documents/lock-document.ts";
import { RobotsDocument } from "./documents/robots-document.ts";
import { RolesDocument } from "./documents/roles-document.ts";
import { ServersDocument } from "./documents/servers-document.ts";
import { TestDocument } from "./documents/test-document.ts";

const documents = [
  { name: "servers", title: "Lanyard: servers.yaml", schema: ServersDocument },
  { name: "roles", title: "Lanyard: roles.yaml", schema: RolesDocument },
  { name: "robots", title: "Lanyard: robots/OWNER/REPO.yaml", schema: RobotsDocument },
  { name: "tests", title: "Lanyard: tests/NAME.yaml", schema: TestDocument },
  { name: "lock", title: "Lanyard: lanyard.lock", schema: LockDocument },
];

export interface SchemaFile {
  /** Relative to the project's root. */
  readonly path: string;
  readonly text: string;
}

/** Draft 7, the one that the YAML language server knows. */
export function renderJsonSchemas(): SchemaFile[] {
  return documents.map(({ name, title, schema }) => {
    const { $schema, ...rest } = z.toJSONSchema(schema, { target: "draft-7", io: "input" });
    return {
      path: `policies/schemas/${name}.schema.json`,
      text: `${JSON.stringify({ $schema, title, ...rest }, null, 2)}\n`,
    };
  });
}
