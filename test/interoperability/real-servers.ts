/** Servers from npm as many use them, and a session with each that asks for all that they list. */
import { mkdir, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import type { Step } from "./recorded-session.ts";

const require = createRequire(import.meta.url);
const LISTS: readonly Step[] = [
  ["tools/list"],
  ["resources/list"],
  ["resources/templates/list"],
  ["prompts/list"],
];
/** Smaller than any other: a transparent dot. */
const PNG =
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

export interface RealServer {
  /** All resources of it begin with one of these. */
  readonly resources: readonly string[];
  /** A part of what there is; what it answers does not depend on the rest. */
  readonly narrow: { readonly tools: string[]; readonly resources: string[]; readonly prompts: string[] };
  readonly steps: (folder: string) => readonly Step[];
  /** As it is at the beginning of each session. */
  readonly reset: (folder: string) => Promise<void>;
}

const tool = (name: string, args: object = {}): Step => ["tools/call", { name, arguments: args }];
const read = (uri: string): Step => ["resources/read", { uri }];
const prompt = (name: string, args: object = {}): Step => ["prompts/get", { name, arguments: args }];
const complete = (ref: object, name: string, value: string): Step => [
  "completion/complete",
  { ref, argument: { name, value } },
];

export function commandOf(server: "filesystem" | "memory", ...args: string[]): [string, ...string[]] {
  return [process.execPath, require.resolve(`@modelcontextprotocol/server-${server}/dist/index.js`), ...args];
}

const TEMPLATE = "demo://resource/dynamic/text/{resourceId}";

export const EVERYTHING: RealServer = {
  resources: ["demo://*"],
  narrow: {
    tools: ["echo", "get-sum", "get-tiny-image", "trigger-long-running-operation"],
    resources: ["demo://resource/static/document/features.md", "demo://resource/dynamic/text/*"],
    prompts: ["simple-prompt", "completable-prompt"],
  },
  reset: async () => undefined,
  steps: () => [
    ["ping"],
    ...LISTS,
    tool("echo", { message: "grüezi \u{1f642}" }),
    tool("echo", {}),
    tool("get-sum", { a: 0.1, b: 0.2 }),
    tool("get-env"),
    tool("get-tiny-image"),
    tool("get-annotated-message", { messageType: "error", includeImage: true }),
    tool("get-resource-links", { count: 3 }),
    tool("get-resource-reference", { resourceType: "Text", resourceId: 2 }),
    tool("get-structured-content", { location: "Chicago" }),
    tool("trigger-long-running-operation", { duration: 0.2, steps: 2 }),
    tool("no-such-tool"),
    read("demo://resource/static/document/features.md"),
    read("demo://resource/static/document/architecture.md"),
    read("demo://resource/dynamic/text/3"),
    read("demo://resource/dynamic/nothing/3"),
    prompt("simple-prompt"),
    prompt("args-prompt", { city: "Bern", state: "BE" }),
    prompt("args-prompt"),
    prompt("resource-prompt", { resourceType: "Text", resourceId: "1" }),
    prompt("no-such-prompt"),
    complete({ type: "ref/prompt", name: "completable-prompt" }, "department", "S"),
    complete({ type: "ref/resource", uri: TEMPLATE }, "resourceId", "3"),
    complete({ type: "ref/resource", uri: "demo://resource/dynamic/blob/{resourceId}" }, "resourceId", "3"),
  ],
};

export const FILESYSTEM: RealServer = {
  resources: ["file://*"],
  narrow: { tools: ["read_*", "list_directory"], resources: [], prompts: [] },
  reset: async (folder) => {
    await rm(join(folder, "files"), { recursive: true, force: true });
    await mkdir(join(folder, "files", "inner"), { recursive: true });
    await writeFile(join(folder, "files", "hello.txt"), "hello\nfrom the file\n");
    await writeFile(join(folder, "files", "dot.png"), Buffer.from(PNG, "base64"));
  },
  steps: (folder) => {
    const path = (...names: string[]): string => join(folder, "files", ...names);
    return [
      ...LISTS,
      tool("list_allowed_directories"),
      tool("list_directory", { path: path() }),
      tool("list_directory_with_sizes", { path: path(), sortBy: "name" }),
      tool("directory_tree", { path: path() }),
      tool("read_file", { path: path("hello.txt") }),
      tool("read_text_file", { path: path("hello.txt"), head: 1 }),
      tool("read_media_file", { path: path("dot.png") }),
      tool("read_multiple_files", { paths: [path("hello.txt"), path("none.txt")] }),
      tool("write_file", { path: path("new.txt"), content: "new" }),
      tool("edit_file", {
        path: path("new.txt"),
        edits: [{ oldText: "new", newText: "old" }],
        dryRun: false,
      }),
      tool("create_directory", { path: path("inner", "more") }),
      tool("move_file", { source: path("new.txt"), destination: path("inner", "moved.txt") }),
      tool("search_files", { path: path(), pattern: "**/*.txt" }),
      tool("get_file_info", { path: path("hello.txt") }),
      tool("read_text_file", { path: "/etc/hostname" }),
      tool("read_text_file", { path: 7 }),
      tool("no_such_tool"),
    ];
  },
};

export const MEMORY: RealServer = {
  resources: ["memory://*"],
  narrow: {
    tools: ["create_*", "add_observations", "search_nodes", "open_nodes"],
    resources: [],
    prompts: [],
  },
  reset: (folder) => rm(join(folder, "memory.jsonl"), { force: true }),
  steps: () => [
    ...LISTS,
    tool("create_entities", {
      entities: ["anna", "bob"].map((name) => ({
        name,
        entityType: "person",
        observations: [`${name} is here`],
      })),
    }),
    tool("create_relations", { relations: [{ from: "anna", to: "bob", relationType: "knows" }] }),
    tool("add_observations", { observations: [{ entityName: "anna", contents: ["likes \u{1f9c0}"] }] }),
    tool("add_observations", { observations: [{ entityName: "nobody", contents: ["x"] }] }),
    tool("read_graph"),
    read("memory://knowledge-graph"),
    tool("search_nodes", { query: "anna" }),
    tool("open_nodes", { names: ["bob"] }),
    tool("delete_observations", { deletions: [{ entityName: "bob", observations: ["bob is here"] }] }),
    tool("delete_relations", { relations: [{ from: "anna", to: "bob", relationType: "knows" }] }),
    tool("delete_entities", { entityNames: ["anna"] }),
    tool("read_graph"),
    tool("create_entities", { entities: "none" }),
    tool("no_such_tool"),
  ],
};
