/** The walls between the rooms, read off the sources themselves and off what the bundler put into each bundle. */
import { readFileSync, readdirSync } from "node:fs";
import { join, relative } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { PROXY_BUNDLES } from "../action/bundles.ts";
import { bundleAction, type Bundle } from "../build.ts";

const root = join(import.meta.dirname, "..");

const mayImport: Record<string, readonly string[]> = {
  policies: [],
  audit: [],
  proxy: ["policies/", "audit/"],
  broker: ["proxy/", "policies/", "audit/"],
  action: ["proxy/", "policies/", "audit/", "broker/contract.ts"],
  dev: ["broker/", "audit/", "policies/"],
  bin: ["broker/cli/", "dev/"],
};

const sourcesOf = (room: string): string[] =>
  readdirSync(join(root, room), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.(ts|js)$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name));

/** Every relative specifier of a file: imports, re-exports, dynamic and type imports. */
const importsOf = (file: string): string[] =>
  [...readFileSync(file, "utf8").matchAll(/(?:from|import)\s*\(?\s*"(\.{1,2}\/[^"]+)"/g)].map(
    ([, specifier = ""]) => relative(root, join(file, "..", specifier)),
  );

describe("the rooms", () => {
  it.each(Object.entries(mayImport))("%s imports only itself and %j", (room, allowed) => {
    const files = sourcesOf(room);
    expect(files.length).toBeGreaterThan(0);
    const crossings = files.flatMap((file) =>
      importsOf(file)
        .filter((target) => ![`${room}/`, ...allowed].some((start) => target.startsWith(start)))
        .map((target) => `${relative(root, file)} → ${target}`),
    );
    expect(crossings).toEqual([]);
  });

  it("are all there", () => {
    const folders = readdirSync(root, { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && !entry.name.startsWith(".") && entry.name !== "node_modules")
      .map((entry) => entry.name);
    expect(folders.filter((name) => name !== "coverage").sort()).toEqual(
      [...Object.keys(mayImport), "bench", "dist", "docs", "test"].sort(),
    );
  });

  it("keep development mode out of the service: nothing in broker/ names dev/", () => {
    expect(
      sourcesOf("broker")
        .flatMap(importsOf)
        .filter((target) => target.startsWith("dev/")),
    ).toEqual([]);
  });

  it("see the walls that they test: a crossing would be found", () => {
    expect(importsOf(join(root, "action/guard/guard.ts")).some((target) => target.startsWith("proxy/"))).toBe(
      true,
    );
  });
});

describe("the bundles of the Action", () => {
  let bundles: Bundle[] = [];
  beforeAll(async () => {
    bundles = await bundleAction();
  });

  it("are main, post, the proxy, and what the proxy loads where it is needed", () => {
    const names = bundles.map(({ path }) => path).sort();
    expect(names).toEqual(["main.cjs", "post.cjs", ...PROXY_BUNDLES].map((name) => `dist/${name}`).sort());
  });

  it("hold no web framework, no database driver and no cloud SDK", () => {
    const heavy = /node_modules\/(fastify|@fastify|kysely|pg|@aws-sdk|@smithy|pino|commander|ghtml|yaml)\//;
    expect(bundles.flatMap(({ inputs }) => inputs).filter((input) => heavy.test(input))).toEqual([]);
    expect(bundles.flatMap(({ externals }) => externals).filter((name) => /sqlite/.test(name))).toEqual([]);
  });

  it("hold of the broker only its contract, and nothing of development mode", () => {
    const foreign = bundles
      .flatMap(({ inputs }) => inputs)
      .filter((input) => /^(broker|dev|test)\//.test(input));
    expect(foreign.filter((input) => input !== "broker/contract.ts")).toEqual([]);
  });

  it("leave nothing to be installed: all that is not inside is Node's own", () => {
    const foreign = bundles.flatMap(({ externals }) => externals).filter((name) => !name.startsWith("node:"));
    expect(foreign.sort()).toEqual(
      PROXY_BUNDLES.filter((name) => name !== "proxy.cjs")
        .map((name) => `./${name}`)
        .sort(),
    );
  });

  it("are all in the digest that the log of a session begins with", () => {
    const loaded = bundles.filter(({ path }) => !/(?:main|post)\.cjs$/.test(path)).map(({ path }) => path);
    expect(loaded.sort()).toEqual(PROXY_BUNDLES.map((name) => `dist/${name}`).sort());
  });

  it("keep the proxy under 300 KiB", () => {
    const proxy = bundles.find(({ path }) => path === "dist/proxy.cjs");
    expect(Buffer.byteLength(proxy?.code ?? "")).toBeGreaterThan(10 * 1024);
    expect(Buffer.byteLength(proxy?.code ?? "")).toBeLessThan(300 * 1024);
  });
});
