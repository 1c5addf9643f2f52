/** The Action as it would be committed: `action.yml` and bundles of the sources as they are now, in a folder of their own. */
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bundleAction } from "../../build.ts";

export interface BuiltAction {
  readonly directory: string;
  remove(): void;
}

export async function buildAction(): Promise<BuiltAction> {
  const directory = mkdtempSync(join(tmpdir(), "lanyard-action-"));
  mkdirSync(join(directory, "dist"));
  cpSync(join(import.meta.dirname, "../../action.yml"), join(directory, "action.yml"));
  for (const { path, code } of await bundleAction()) writeFileSync(join(directory, path), code);
  return { directory, remove: () => rmSync(directory, { recursive: true, force: true }) };
}
