/** The version of this package, as its package.json says it. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as z from "zod/mini";

const PackageJson = z.object({ version: z.string() });

export function readVersion(): string {
  const path = join(import.meta.dirname, "..", "..", "package.json");
  return PackageJson.parse(JSON.parse(readFileSync(path, "utf8"))).version;
}
