// The lint rules: types first, then the walls between the rooms.
// Whatever is restricted here has its reason in the message that the rule prints.

import { join, relative, sep } from "node:path";
import tseslint from "typescript-eslint";

/**
 * Which rooms a room may import besides itself: a room's name, or the start of a path inside it.
 * Rooms that are not named here (test, bench, the files at the root) may import everything.
 */
const importDirections = {
  policies: [],
  audit: [],
  proxy: ["policies/", "audit/"],
  broker: ["proxy/", "policies/", "audit/"],
  action: ["proxy/", "policies/", "audit/", "broker/contract.ts"],
  dev: ["broker/", "audit/", "policies/"],
  bin: ["broker/cli", "dev/"],
};

const roomImports = {
  meta: {
    type: "problem",
    schema: [],
    messages: { wall: "{{room}}/ may not import {{target}}: it may import {{allowed}} of this project." },
  },
  create(context) {
    const root = context.settings.root;
    const [room] = relative(root, context.filename).split(sep);
    const allowed = Object.hasOwn(importDirections, room) ? importDirections[room] : undefined;
    if (allowed === undefined) {
      return {};
    }
    const check = (source) => {
      const specifier = source?.type === "Literal" ? source.value : undefined;
      if (typeof specifier !== "string" || !/^\.{1,2}\//.test(specifier)) {
        return;
      }
      const target = relative(root, join(context.filename, "..", specifier))
        .split(sep)
        .join("/");
      if (![`${room}/`, ...allowed].some((start) => target.startsWith(start))) {
        const names = allowed.length > 0 ? allowed.join(", ") : "nothing";
        context.report({ node: source, messageId: "wall", data: { room, target, allowed: names } });
      }
    };
    return {
      ImportDeclaration: (node) => check(node.source),
      ImportExpression: (node) => check(node.source),
      ExportNamedDeclaration: (node) => check(node.source),
      ExportAllDeclaration: (node) => check(node.source),
      TSImportType: (node) => check(node.source),
    };
  },
};

const environment = "Only broker/config.ts and action/inputs.ts read the environment: pass the value in.";
const wholeZod = 'What goes into the Action\'s bundles uses `import * as z from "zod/mini"`.';

const seeded = "test/support/properties.ts has it with the seed that was asked for.";

const withoutEnvironment = { name: "node:process", importNames: ["env"], message: environment };
const withoutWholeZod = ["zod", "zod/v4", "zod/v3"].map((name) => ({ name, message: wholeZod }));

const sources = ["{policies,audit,proxy,broker,action,dev,bin}/**/*.ts"];
const bundled = ["{policies,audit,proxy,action}/**/*.ts", "broker/contract.ts"];
const environmentReaders = ["broker/config.ts", "action/inputs.ts", "dev/**/*.ts"];

export default tseslint.config(
  { ignores: ["dist/", "coverage/", ".lanyard/", "**/generated/"] },
  { linterOptions: { reportUnusedDisableDirectives: "error" } },
  {
    files: ["**/*.ts"],
    extends: [tseslint.configs.recommendedTypeChecked],
    languageOptions: {
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname },
    },
    rules: {
      eqeqeq: "error",
      "@typescript-eslint/consistent-type-exports": "error",
      "@typescript-eslint/consistent-type-imports": ["error", { disallowTypeAnnotations: false }],
      "@typescript-eslint/no-explicit-any": "error",
      "@typescript-eslint/no-floating-promises": "error",
      "@typescript-eslint/no-misused-promises": "error",
      "@typescript-eslint/return-await": ["error", "in-try-catch"],
      "@typescript-eslint/switch-exhaustiveness-check": [
        "error",
        { considerDefaultExhaustiveForUnions: true, requireDefaultForNonUnion: true },
      ],
      // Interfaces and route handlers are asynchronous whether or not one implementation awaits.
      "@typescript-eslint/require-await": "off",
      // An unused parameter is reported by the compiler; a leading underscore says that it is meant.
      "@typescript-eslint/no-unused-vars": ["error", { argsIgnorePattern: "^_", ignoreRestSiblings: true }],
    },
  },
  {
    files: sources,
    plugins: { lanyard: { rules: { "room-imports": roomImports } } },
    settings: { root: import.meta.dirname },
    rules: {
      "lanyard/room-imports": "error",
      "max-lines": ["error", { max: 300 }],
      "@typescript-eslint/max-params": ["error", { max: 3 }],
      "@typescript-eslint/no-non-null-assertion": "error",
      "no-restricted-properties": ["error", { object: "process", property: "env", message: environment }],
      "no-restricted-imports": ["error", { paths: [withoutEnvironment] }],
      "no-restricted-syntax": [
        "error",
        { selector: "ExportDefaultDeclaration", message: "Exports have names: no default exports." },
      ],
    },
  },
  {
    files: bundled,
    rules: { "no-restricted-imports": ["error", { paths: [withoutEnvironment, ...withoutWholeZod] }] },
  },
  {
    files: environmentReaders,
    rules: { "no-restricted-properties": "off", "no-restricted-imports": "off" },
  },
  {
    files: ["action/inputs.ts"],
    rules: { "no-restricted-imports": ["error", { paths: withoutWholeZod }] },
  },
  {
    // Tests read answers of servers as they come: what they expect of them is the check.
    files: ["test/**/*.ts"],
    rules: {
      "@typescript-eslint/no-explicit-any": "off",
      "@typescript-eslint/no-unsafe-argument": "off",
      "@typescript-eslint/no-unsafe-assignment": "off",
      "@typescript-eslint/no-unsafe-call": "off",
      "@typescript-eslint/no-unsafe-member-access": "off",
      "@typescript-eslint/no-unsafe-return": "off",
      "@typescript-eslint/unbound-method": "off",
      "no-restricted-imports": ["error", { paths: [{ name: "fast-check", message: seeded }] }],
    },
  },
  { files: ["test/support/properties.ts"], rules: { "no-restricted-imports": "off" } },
);
