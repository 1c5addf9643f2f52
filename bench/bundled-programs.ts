/**
 * Programs of `programs/` bundled as the Action is, in a folder of their own: what Node reads and compiles when one of
 * them starts is then what it does in a job, and not the sources with every package whole.
 */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { bundlePrograms } from "../build.ts";

/** `work` gets the path of each by its name; they are gone when it is done. */
export async function withBundles<Result>(
  names: readonly string[],
  work: (files: ReadonlyMap<string, string>) => Promise<Result>,
): Promise<Result> {
  const directory = await mkdtemp(join(tmpdir(), "lanyard-bench-"));
  try {
    for (const { path, code } of await bundlePrograms(names.map((name) => `bench/programs/${name}.ts`))) {
      await writeFile(join(directory, basename(path)), code);
    }
    return await work(new Map(names.map((name) => [name, join(directory, `${name}.cjs`)])));
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
