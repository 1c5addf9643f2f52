// Builds the bundles of the Action. The same sources and lock file give the same bytes on every machine,
// so that the committed `dist/` can be compared with what the sources say.
//
//   node build.ts           writes dist/
//   node build.ts --check   compares dist/ with the sources and writes nothing

import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { basename, join, relative, sep } from "node:path";
import { build, type Metafile, type Plugin } from "esbuild";

const root = import.meta.dirname;
const entryFiles = ["action/main.ts", "action/post.ts", "action/proxy.ts"];

/**
 * What a source imports while it runs (`await import("./x.ts")`) is a file of its own beside the others: it is loaded
 * only where it is needed. It shares no state with them, since what both of them import is in both.
 */
function bundleApart(found: Set<string>): Plugin {
  return {
    name: "bundle-apart",
    setup: (bundler) => {
      bundler.onResolve({ filter: /^\.{1,2}\/.*\.ts$/ }, ({ kind, path, resolveDir }) => {
        if (kind !== "dynamic-import") {
          return undefined;
        }
        found.add(relative(root, join(resolveDir, path)).split(sep).join("/"));
        return { path: `./${basename(path, ".ts")}.cjs`, external: true };
      });
    },
  };
}

/** One file of `dist/`, with what went into it. All paths are relative to the project's root, with `/`. */
export interface Bundle {
  path: string;
  code: string;
  /** The source files that left bytes in the bundle, types and unused modules excluded. */
  inputs: string[];
  /** What the bundle still imports when it runs: Node's own modules. */
  externals: string[];
}

/** The Action's entry files, and what they load later. */
export function bundleAction(): Promise<Bundle[]> {
  return bundlePrograms(entryFiles);
}

/** Bundles entry files, and what they load later, in memory. A warning of the bundler is an error. */
export async function bundlePrograms(sources: readonly string[]): Promise<Bundle[]> {
  const bundles: Bundle[] = [];
  const known = new Set<string>();
  for (let entries = [...sources]; entries.length > 0; ) {
    entries.forEach((entry) => known.add(entry));
    const found = new Set<string>();
    bundles.push(...(await bundleEntries(entries, found)));
    entries = [...found].filter((entry) => !known.has(entry)).sort();
  }
  const twice = bundles.find(
    ({ path }, index) => bundles.findIndex((other) => other.path === path) !== index,
  );
  if (twice !== undefined) {
    throw new Error(`two sources would both be ${twice.path}: one of them needs another name`);
  }
  return bundles;
}

async function bundleEntries(entryPoints: string[], found: Set<string>): Promise<Bundle[]> {
  const { outputFiles, metafile, warnings } = await build({
    absWorkingDir: root,
    entryPoints,
    outdir: "dist",
    entryNames: "[name]",
    plugins: [bundleApart(found)],
    outExtension: { ".js": ".cjs" },
    bundle: true,
    write: false,
    metafile: true,
    platform: "node",
    target: "node24",
    format: "cjs",
    charset: "utf8",
    legalComments: "eof",
    define: { "import.meta.dirname": "__dirname", "import.meta.filename": "__filename" },
    // A linked node_modules would otherwise put its real path into the bundles' comments.
    preserveSymlinks: true,
    tsconfig: join(root, "tsconfig.json"),
    logLevel: "warning",
  });
  if (warnings.length > 0) {
    throw new Error("the bundler warned about the sources (above): nothing was built");
  }
  return outputFiles.map((file) => describeBundle(basename(file.path), file.text, metafile));
}

function describeBundle(name: string, code: string, metafile: Metafile): Bundle {
  const path = `dist/${name}`;
  const output = metafile.outputs[path];
  if (output === undefined) {
    throw new Error(`the bundler's metadata does not know ${path}`);
  }
  const inputs = Object.entries(output.inputs)
    .filter(([, input]) => input.bytesInOutput > 0)
    .map(([input]) => input);
  const externals = output.imports.filter((imported) => imported.external).map(({ path }) => path);
  return { path, code, inputs: inputs.sort(), externals: [...new Set(externals)].sort() };
}

async function writeBundles(bundles: Bundle[]): Promise<void> {
  await rm(join(root, "dist"), { recursive: true, force: true });
  await mkdir(join(root, "dist"));
  for (const { path, code } of bundles) {
    await writeFile(join(root, path), code);
    console.log(`${path}  ${(Buffer.byteLength(code) / 1024).toFixed(1)} KiB`);
  }
}

/** The files of `dist/` that are missing, different or not of the build, each with what is wrong. */
async function compareBundles(bundles: Bundle[]): Promise<string[]> {
  const present = (await readdir(join(root, "dist")).catch(() => [])).map((name) => `dist/${name}`);
  const findings = present
    .filter((path) => !bundles.some((bundle) => bundle.path === path))
    .map((path) => `${path} is not made by the build`);
  for (const { path, code } of bundles) {
    if (!present.includes(path)) {
      findings.push(`${path} is missing`);
    } else if ((await readFile(join(root, path), "utf8")) !== code) {
      findings.push(`${path} is not what the sources say`);
    }
  }
  return findings;
}

if (import.meta.main) {
  const bundles = await bundleAction();
  if (process.argv.includes("--check")) {
    const findings = await compareBundles(bundles);
    for (const finding of findings) {
      console.error(finding);
    }
    if (findings.length > 0) {
      console.error("Run `npm run build` and commit dist/.");
      process.exitCode = 1;
    }
  } else {
    await writeBundles(bundles);
  }
}
