/**
 * Every message that loading can give, word for word, with its place. What the sources can say and no row provokes is
 * found by the last test, which reads the sources.
 */
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import ts from "typescript";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { assemblePolicies, loadPolicies } from "../../policies/loading.ts";
import { filesOf, renderProblem } from "./fixtures.ts";
import { applyEdits, type Edit, lock } from "./message-edits.ts";

const long = (count: number, render: (index: number) => string): string =>
  Array.from({ length: count }, (_, index) => render(index)).join("");

type Row = readonly [what: string, edits: readonly Edit[], messages: readonly string[]];

const credentials = (text: string): Edit => [
  "servers",
  "    start: eager\n",
  `    start: eager\ncredentials:\n  ${text}\n`,
];

const refusals: Record<string, readonly Row[]> = {
  YAML: [
    [
      "text that is no YAML",
      [["roles", null, "roles: 'x\n"]],
      ["roles.yaml:2:1 : not valid YAML: Missing closing 'quote"],
    ],
    [
      "a condition whose text looks like a key",
      [["roles", /when: .*/, 'when: args.query == "is: open"']],
      [
        'roles.yaml:10:15 : not valid YAML: Nested mappings are not allowed in compact mappings. Write a text that holds ": " in quotes: when: \'args.query == "is: open"\'',
      ],
    ],
    [
      "a tab",
      [["roles", null, "roles:\n\treader: 1\n"]],
      ["roles.yaml:2:1 : not valid YAML: Tabs are not allowed as indentation: use spaces"],
    ],
    ["an empty document", [["roles", null, "# nothing\n"]], ["roles.yaml:1:1 : the document is empty"]],
    [
      "two documents in a file",
      [["roles", null, "roles: {}\n---\nroles: {}\n"]],
      ["roles.yaml:2:1 : a second document begins here: one file holds one document, remove the ---"],
    ],
    [
      "an anchor",
      [["roles", "server: github", "server: &a github"]],
      ["roles.yaml:4:17 : anchors (&name) are not allowed: write the value out in each place"],
    ],
    [
      "an alias",
      [["roles", "server: github", "server: *a"]],
      ["roles.yaml:4:17 : aliases (*name) are not allowed: write the value out in each place"],
    ],
    [
      "a tag",
      [["roles", "server: github", "server: !x github"]],
      ["roles.yaml:4:17 : tags (!name) are not allowed: remove it, a value has the type it is written as"],
    ],
    [
      "a directive",
      [["roles", null, "%YAML 1.1\n---\nroles: {}\n"]],
      ["roles.yaml:1:1 : directives (%NAME) are not allowed: remove the line, every document is YAML 1.2"],
    ],
    [
      "a merge key",
      [["roles", "  reader:\n", "  reader:\n    <<: {}\n"]],
      ["roles.yaml:3:5 : merge keys (<<) are not allowed: write the values out in each place"],
    ],
    [
      "a key twice",
      [["roles", "    grants:", "    grants: []\n    grants:"]],
      ['roles.yaml:4:5 : "grants" appears twice: remove one of them'],
    ],
    [
      "a key that is no text",
      [["roles", "  reader:", "  1:"]],
      ["roles.yaml:2:3 : a key must be a plain string: write it in quotes"],
    ],
    [
      "a key that objects have",
      [["roles", "  reader:", "  __proto__:"]],
      ['roles.yaml:2:3 : "__proto__" cannot be a key'],
    ],
    [
      "half a character",
      [["roles", "server: github", 'server: "\\ud800"']],
      ["roles.yaml:4:17 : half a character (\\ud800 to \\udfff) is no text: remove it"],
    ],
    [
      "a character that cannot be seen",
      [["roles", "reader:", "reader: # \u202e"]],
      ["roles.yaml:2:13 : the character U+202E is not allowed: it cannot be seen when reading"],
    ],
    [
      "a zero-width space between the letters of a name, which is another name",
      [["roles", "get_issue", "get_\u200bissue"]],
      ["roles.yaml:5:21 : the character U+200B is not allowed: it cannot be seen when reading"],
    ],
    [
      "a tag character, which no editor shows",
      [["roles", "reader:", "reader: # \u{e0041}"]],
      ["roles.yaml:2:13 : the character U+E0041 is not allowed: it cannot be seen when reading"],
    ],
    [
      "a line separator, after which a comment seems to have ended",
      [["roles", "reader:", "reader: # \u2028"]],
      ["roles.yaml:2:13 : the character U+2028 is not allowed: it cannot be seen when reading"],
    ],
    [
      "a joiner in Latin script",
      [["roles", "reader:", "reader: # a\u200db"]],
      ["roles.yaml:2:14 : the character U+200D is not allowed: it cannot be seen when reading"],
    ],
    [
      "a variation selector behind a letter",
      [["roles", "reader:", "reader: # a\ufe0f"]],
      ["roles.yaml:2:14 : the character U+FE0F is not allowed: it cannot be seen when reading"],
    ],
    [
      "nesting",
      [["roles", null, "[".repeat(30)]],
      ["roles.yaml:1:21 : more than 20 levels of nesting: no document needs that"],
    ],
    [
      "size",
      [["roles", null, `# ${"x".repeat(256 * 1024)}\n`]],
      ["roles.yaml:1:1 : the document is larger than 256 KiB: no document needs that"],
    ],
    [
      "more words than a document needs",
      [["roles", null, `roles: [${"a,".repeat(80_000)}]\n`]],
      ["roles.yaml:1:100005 : more than 150000 words and marks: split the document"],
    ],
  ],
  values: [
    [
      "an unknown key that is nearly right",
      [["servers", "    url:", "    urll:"]],
      ['servers.yaml:3:5 servers.github.urll: unknown key "urll": did you mean "url"?'],
    ],
    [
      "an unknown key that is not",
      [["servers", "    url:", "    zone: eu\n    url:"]],
      [
        'servers.yaml:3:5 servers.github.zone: unknown key "zone": there is url, command, env, start, private, credential, limits, reads, writes, tools',
      ],
    ],
    [
      "a missing key",
      [
        [
          "roles",
          "      - server: github\n        tools: [get_issue, list_issues]",
          "      - tools: [get_issue]",
        ],
      ],
      [
        'roles.yaml:4:9 roles.reader.grants[0].server: "server" is missing. The name of a server in servers.yaml: lower-case letters, digits, - and _.',
      ],
    ],
    [
      "a key without a value",
      [["roles", "tools: [get_issue, list_issues]", "tools:"]],
      ["roles.yaml:5:15 roles.reader.grants[0].tools: nothing stands here: write a value, or remove the key"],
    ],
    [
      "a number for a text",
      [["robots", '"456789"', "456789"]],
      [
        'robots/acme/payments.yaml:3:16 repository_id: expected text, got the number 456789: write it in quotes, "456789"',
      ],
    ],
    [
      "a list for a text",
      [["roles", "server: github", "server: [github]"]],
      ["roles.yaml:4:17 roles.reader.grants[0].server: expected text, got a list"],
    ],
    [
      "a text for a list",
      [["roles", "[get_*]", "get_*"]],
      ["roles.yaml:14:16 roles.browser.grants[0].tools: expected a list: [get_*]"],
    ],
    [
      "a number for a list",
      [["roles", "[get_*]", "7"]],
      ["roles.yaml:14:16 roles.browser.grants[0].tools: expected a list, got the number 7"],
    ],
    [
      "a text for true or false",
      [["servers", "read_only: false", "read_only: yes"]],
      ['servers.yaml:7:33 servers.github.tools.add_comment.read_only: expected true or false, got "yes"'],
    ],
    [
      "a text for a number",
      [["roles", "        when:", '        limit: { calls: "20" }\n        when:']],
      ['roles.yaml:10:25 roles.commenter.grants[0].limit.calls: expected a whole number, got "20"'],
    ],
    [
      "a half call",
      [["roles", "        when:", "        limit: { calls: 1.5 }\n        when:"]],
      ["roles.yaml:10:25 roles.commenter.grants[0].limit.calls: expected a whole number, got the number 1.5"],
    ],
    [
      "a number for the one key there is",
      [["roles", /when: .*/, "limit: 5"]],
      [
        "roles.yaml:10:16 roles.commenter.grants[0].limit: expected keys with values, got the number 5: write it as { calls: 5 }",
      ],
    ],
    [
      "a text for keys",
      [["roles", null, "roles: none\n"]],
      ['roles.yaml:1:8 roles: expected keys with values, got "none"'],
    ],
    [
      "one of a few words",
      [["servers", "eager", "now"]],
      ['servers.yaml:11:12 servers.memory.start: "now": expected eager or lazy'],
    ],
    [
      "a size without a unit",
      [["servers", "start: eager", "limits: { memory: 512 }"]],
      [
        'servers.yaml:11:23 servers.memory.limits.memory: expected text, got the number 512: write it in quotes, "512"',
      ],
    ],
    [
      "a size in another unit",
      [["servers", "start: eager", "limits: { memory: 512MB }"]],
      [
        'servers.yaml:11:23 servers.memory.limits.memory: "512MB": expected a whole number with a unit: 512KiB, 4MiB or 2GiB',
      ],
    ],
    [
      "more memory than a server may take",
      [["servers", "start: eager", "limits: { memory: 65GiB }"]],
      ["servers.yaml:11:23 servers.memory.limits.memory: expected between 64MiB and 64GiB"],
    ],
    [
      "less than any request needs",
      [["servers", "start: eager", "limits: { request_size: 1KiB }"]],
      ["servers.yaml:11:29 servers.memory.limits.request_size: expected between 4KiB and 16MiB"],
    ],
    [
      "no time for a call",
      [["servers", "start: eager", "limits: { call_time: 0s }"]],
      [
        'servers.yaml:11:26 servers.memory.limits.call_time: "0s": expected a whole number with a unit: 90s, 15m or 2h',
      ],
    ],
    [
      "more time than a job has",
      [["servers", "start: eager", "limits: { call_time: 7h }"]],
      ["servers.yaml:11:26 servers.memory.limits.call_time: expected between 1s and 6h"],
    ],
    [
      "no call at all",
      [["servers", "start: eager", "limits: { calls_per_minute: 0 }"]],
      ["servers.yaml:11:33 servers.memory.limits.calls_per_minute: expected between 1 and 60000"],
    ],
    [
      "half a call at a time",
      [["servers", "start: eager", "limits: { concurrent_calls: 0.5 }"]],
      [
        "servers.yaml:11:33 servers.memory.limits.concurrent_calls: expected a whole number, got the number 0.5",
      ],
    ],
    [
      "more restarts than help",
      [["servers", "start: eager", "limits: { restarts: 21 }"]],
      ["servers.yaml:11:25 servers.memory.limits.restarts: expected between 0 and 20"],
    ],
    [
      "a limit that does not exist",
      [["servers", "start: eager", "limits: { restart: 1 }"]],
      ['servers.yaml:11:15 servers.memory.limits.restart: unknown key "restart": did you mean "restarts"?'],
    ],
    [
      "memory of a server elsewhere",
      [["servers", "    tools:", "    limits: { memory: 1GiB }\n    tools:"]],
      [
        "servers.yaml:4:15 servers.github.limits.memory: a server with a url has no process here that memory could limit: remove memory",
      ],
    ],
    [
      "an empty list",
      [["roles", "[get_issue, list_issues]", "[]"]],
      ["roles.yaml:5:16 roles.reader.grants[0].tools: the list is empty: add an entry"],
    ],
    [
      "an empty text",
      [["roles", /when: .*/, 'when: ""']],
      ["roles.yaml:10:15 roles.commenter.grants[0].when: this is empty: write a value"],
    ],
    [
      "a limit of nothing",
      [["roles", "        when:", "        limit: { calls: 0 }\n        when:"]],
      [
        "roles.yaml:10:25 roles.commenter.grants[0].limit.calls: expected at least 1: a grant that allows no call is better removed",
      ],
    ],
    [
      "a limit that is none",
      [["roles", "        when:", "        limit: { calls: 2000000 }\n        when:"]],
      [
        "roles.yaml:10:25 roles.commenter.grants[0].limit.calls: expected at most 1000000: a limit that nothing reaches is better removed",
      ],
    ],
  ],
  "the fields of servers.yaml": [
    [
      "the name of a server",
      [["servers", "  memory:", "  Memory:"]],
      [
        'servers.yaml:8:3 servers.Memory: "Memory": expected lower-case letters, digits, - and _, at most 63, beginning with a letter or digit',
      ],
    ],
    [
      "the name of a tool",
      [["servers", "get_issue:", '"get issue":']],
      [
        'servers.yaml:5:7 servers.github.tools.get issue: "get issue": expected the name of one tool, without spaces and without *',
      ],
    ],
    [
      "the name of a variable",
      [["servers", "FILE", "1FILE"]],
      ['servers.yaml:10:12 servers.memory.env.1FILE: "1FILE": expected the name of an environment variable'],
    ],
    [
      "an address that is none",
      [["servers", "https://mcp.example.com/mcp", "mcp.example.com"]],
      ["servers.yaml:3:10 servers.github.url: expected a URL that begins with https://"],
    ],
    [
      "a password in an address",
      [["servers", "https://mcp", "https://u:p@mcp"]],
      [
        "servers.yaml:3:10 servers.github.url: a URL must not hold a user or a password: policies hold no secrets",
      ],
    ],
    [
      "a fragment in an address",
      [["servers", "com/mcp", "com/mcp#x"]],
      ["servers.yaml:3:10 servers.github.url: a URL must not have a # part: it never reaches the server"],
    ],
    [
      "an address in the clear",
      [["servers", "https://mcp", "http://mcp"]],
      [
        "servers.yaml:3:10 servers.github.url: http sends everything in the clear: use https (http is for this machine and for hosts without a dot)",
      ],
    ],
    [
      "more arguments than a command needs",
      [["servers", "command: [npx", `command: [${"x, ".repeat(200)}npx`]],
      ["servers.yaml:9:14 servers.memory.command: more than 200 arguments: no document needs that"],
    ],
    [
      "more tools than a server has",
      [
        [
          "servers",
          "      get_issue:",
          `${long(2000, (i) => `      t${i}: { read_only: true }\n`)}      get_issue:`,
        ],
      ],
      ["servers.yaml:5:7 servers.github.tools: more than 2000 tools: no document needs that"],
    ],
    [
      "more variables than a command needs",
      [["servers", "{ FILE", `{ ${long(200, (i) => `V${i}: x, `)}FILE`]],
      ["servers.yaml:10:10 servers.memory.env: more than 200 variables: no document needs that"],
    ],
    [
      "more servers than there are",
      [["servers", "  memory:", `${long(500, (i) => `  s${i}: { url: "https://x.example" }\n`)}  memory:`]],
      ["servers.yaml:2:3 servers: more than 500 servers: no document needs that"],
    ],
    [
      "more labels than there are",
      [["servers", "    url:", `    reads: [${"private, ".repeat(11)}]\n    url:`]],
      ["servers.yaml:3:12 servers.github.reads: more than 10 labels: no document needs that"],
    ],
  ],
  "the credentials of servers.yaml": [
    [
      "a server whose credential does not exist",
      [
        ["servers", "    url:", "    credential: github-robt\n    url:"],
        credentials("github-robot: { kind: bearer }"),
      ],
      [
        'servers.yaml:3:17 servers.github.credential: there is no credential "github-robt" under credentials: did you mean "github-robot"?',
      ],
    ],
    [
      "a kind that does not exist",
      [credentials("a: { kind: baerer }")],
      ['servers.yaml:13:14 credentials.a.kind: "baerer": did you mean "bearer"?'],
    ],
    [
      "a credential without a kind",
      [credentials("a: { owner: robot }")],
      [
        'servers.yaml:13:6 credentials.a.kind: "kind" is missing: write bearer or basic or headers or client-credentials or oauth or token-exchange or github-app or aws-role or none',
      ],
    ],
    [
      "a key that another kind has",
      [credentials("a: { kind: bearer, username: x }")],
      ['servers.yaml:13:22 credentials.a.username: unknown key "username": there is kind, owner, delivery'],
    ],
    [
      "more credentials than there are",
      [credentials(long(501, (i) => `a${i}: { kind: none }\n  `))],
      ["servers.yaml:13:3 credentials: more than 500 credentials: no document needs that"],
    ],
    [
      "what lives long, for a runner",
      [credentials("a: { kind: oauth, delivery: runner }")],
      [
        "servers.yaml:13:31 credentials.a.delivery: a credential of the kind oauth lives long and is never sent to a runner: remove delivery, and the broker relays the calls",
      ],
    ],
    [
      "headers without the secret",
      [credentials("a: { kind: headers, headers: { X-Api-Key: abc } }")],
      [
        'servers.yaml:13:23 credentials.a.headers: no header has the secret: write {secret} where it belongs, "Token {secret}"',
      ],
    ],
    [
      "another variable in a header",
      [credentials('a: { kind: headers, headers: { X-A: "{secret:a}", X-B: "{secret}" } }')],
      ['servers.yaml:13:40 credentials.a.headers.X-A: unknown variable {secret:a}: did you mean "secret"?'],
    ],
    [
      "a header twice",
      [credentials('a: { kind: headers, headers: { X-A: "{secret}", x-a: b } }')],
      ["servers.yaml:13:51 credentials.a.headers.x-a: X-A is the same header: remove one of them"],
    ],
    [
      "a header by which the parts of the protocol know each other",
      [credentials('a: { kind: headers, headers: { Mcp-Session-Id: "{secret}" } }')],
      [
        "servers.yaml:13:34 credentials.a.headers.Mcp-Session-Id: a credential cannot set this header: remove it",
      ],
    ],
    [
      "the name of a header",
      [credentials('a: { kind: headers, headers: { "X A": "{secret}" } }')],
      ['servers.yaml:13:34 credentials.a.headers.X A: "X A": expected the name of a header'],
    ],
    [
      "the value of a header, which is not repeated",
      [credentials('a: { kind: headers, headers: { X-A: "geheim: ü" } }')],
      ["servers.yaml:13:39 credentials.a.headers.X-A: expected printable ASCII"],
    ],
    [
      "a number as the value of a header, which is not repeated",
      [credentials("a: { kind: headers, headers: { X-A: 123456 } }")],
      ["servers.yaml:13:39 credentials.a.headers.X-A: expected text: write it in quotes"],
    ],
    [
      "more headers than a server wants",
      [credentials(`a: { kind: headers, headers: { ${long(21, (i) => `X-${i}: "{secret}", `)} } }`)],
      ["servers.yaml:13:32 credentials.a.headers: more than 20 headers: no document needs that"],
    ],
    [
      "a user name with a colon",
      [credentials('a: { kind: basic, username: "a:b" }')],
      ['servers.yaml:13:31 credentials.a.username: "a:b": expected a user name without a colon'],
    ],
    [
      "neither an issuer nor a token endpoint",
      [credentials("a: { kind: client-credentials, client_id: c }")],
      [
        "servers.yaml:13:3 credentials.a: write either the issuer, whose metadata say where tokens are given out, or the token_url where it has none",
      ],
    ],
    [
      "a client without the issuer that it is registered at",
      [credentials("a: { kind: oauth, client_id: lanyard }")],
      [
        "servers.yaml:13:21 credentials.a.client_id: a client is registered at one issuer, and the server could name another: write that issuer beside it",
      ],
    ],
    [
      "an issuer and a token endpoint",
      [
        credentials(
          'a: { kind: token-exchange, client_id: c, issuer: "https://as.example", token_url: "https://as.example/t" }',
        ),
      ],
      [
        "servers.yaml:13:74 credentials.a.token_url: write either the issuer, whose metadata say where tokens are given out, or the token_url where it has none",
      ],
    ],
    [
      "a scope that is none",
      [credentials('a: { kind: oauth, scopes: ["a b"] }')],
      ['servers.yaml:13:30 credentials.a.scopes[0]: "a b": expected an OAuth scope'],
    ],
    [
      "more scopes than a server has",
      [credentials(`a: { kind: oauth, scopes: [${long(101, (i) => `s${i}, `)}] }`)],
      ["servers.yaml:13:29 credentials.a.scopes: more than 100 scopes: no document needs that"],
    ],
    [
      "a permission that GitHub does not have",
      [credentials("a: { kind: github-app, app_id: x, permissions: { Issues: read } }")],
      [
        'servers.yaml:13:52 credentials.a.permissions.Issues: "Issues": expected a permission as GitHub\'s API names it',
      ],
    ],
    [
      "more permissions than GitHub has",
      [
        credentials(
          `a: { kind: github-app, app_id: x, permissions: { ${long(101, (i) => `p${"_".repeat(1 + (i % 50))}${i > 49 ? (i > 99 ? "c" : "b") : "a"}: read, `)} } }`,
        ),
      ],
      ["servers.yaml:13:50 credentials.a.permissions: more than 100 permissions: no document needs that"],
    ],
    [
      "a repository with its owner",
      [credentials("a: { kind: github-app, app_id: x, permissions: {}, repositories: [acme/payments] }")],
      [
        'servers.yaml:13:69 credentials.a.repositories[0]: "acme/payments": expected the name of a repository, without its owner',
      ],
    ],
    [
      "more repositories than GitHub takes",
      [
        credentials(
          `a: { kind: github-app, app_id: x, permissions: {}, repositories: [${long(101, (i) => `r${i}, `)}] }`,
        ),
      ],
      [
        "servers.yaml:13:68 credentials.a.repositories: more than 100 repositories: leave it out for the run's own, or write a credential for each group of them",
      ],
    ],
    ...["..", "."].map(
      (name): Row => [
        `a repository that is ${name}`,
        [credentials(`a: { kind: github-app, app_id: x, permissions: {}, repositories: [a, "${name}"] }`)],
        [
          `servers.yaml:13:72 credentials.a.repositories[1]: "${name}" is a place and no repository: write the repository's name, or leave repositories out for the run's own`,
        ],
      ],
    ),
    ...["899s", "1s", "43201s", "13h"].map(
      (ttl): Row => [
        `a session of a role for ${ttl}`,
        [credentials(`a: { kind: aws-role, role_arn: "arn:aws:iam::1:role/x", ttl: ${ttl} }`)],
        [
          "servers.yaml:13:64 credentials.a.ttl: STS gives sessions of 15 minutes to 12 hours: write 15m to 12h, or leave ttl out for 1h",
        ],
      ],
    ),
    [
      "a role that is none",
      [credentials("a: { kind: aws-role, role_arn: admin }")],
      [
        'servers.yaml:13:34 credentials.a.role_arn: "admin": expected the ARN of a role: arn:aws:iam::123456789012:role/NAME',
      ],
    ],
    [
      "a region that is none",
      [credentials('a: { kind: aws-role, role_arn: "arn:aws:iam::1:role/x", region: "EU 1" }')],
      ['servers.yaml:13:67 credentials.a.region: "EU 1": expected a region'],
    ],
    [
      "a session policy that is no JSON",
      [credentials('a: { kind: aws-role, role_arn: "arn:aws:iam::1:role/x", session_policy: "{" }')],
      [
        'servers.yaml:13:75 credentials.a.session_policy: this is no JSON object: write an IAM policy, { "Version": …, "Statement": … }',
      ],
    ],
    [
      "AWS keys for a server with a url",
      [
        ["servers", "    url:", "    credential: a\n    url:"],
        credentials('a: { kind: aws-role, role_arn: "arn:aws:iam::1:role/x", delivery: runner }'),
      ],
      [
        "servers.yaml:3:17 servers.github.credential: a server with a url cannot be shown AWS keys: aws-role is for servers with a command",
      ],
    ],
    ...(
      [
        [
          "nothing to present, for a server with a command",
          "none",
          "a server with a command needs no credential that presents nothing: remove it",
        ],
        [
          "what lives long, for a server with a command",
          "bearer",
          "a server with a command runs in the runner, where a credential of the kind bearer is never sent: use one that is minted for each session, or a server with a url",
        ],
        [
          "what is used at the broker, for a server with a command",
          "github-app, app_id: x, permissions: {}",
          "a server with a command runs in the runner: its credential must say delivery: runner",
        ],
        [
          "a credential that a command does not take",
          "github-app, app_id: x, permissions: {}, delivery: runner",
          'nothing takes the credential: write env: { TOKEN: "{credential}" }',
        ],
      ] as const
    ).map(
      ([what, kind, message]): Row => [
        what,
        [["servers", "    start:", "    credential: a\n    start:"], credentials(`a: { kind: ${kind} }`)],
        [`servers.yaml:11:17 servers.memory.credential: ${message}`],
      ],
    ),
    [
      "a variable for AWS keys, which have names of their own",
      [
        ["servers", "    start:", "    credential: a\n    start:"],
        ["servers", "{runner_temp}", "{credential}"],
        credentials('a: { kind: aws-role, role_arn: "arn:aws:iam::1:role/x", delivery: runner }'),
      ],
      [
        "servers.yaml:11:17 servers.memory.credential: {credential} stands for no value here: aws-role sets AWS_ACCESS_KEY_ID and the variables beside it by itself",
      ],
    ],
    [
      "a credential among the arguments",
      [
        ["servers", "    start:", "    credential: a\n    start:"],
        ["servers", "{workspace}", "{credential}"],
        credentials("a: { kind: github-app, app_id: x, permissions: {}, delivery: runner }"),
      ],
      [
        'servers.yaml:9:38 servers.memory.command[3]: whoever lists processes reads their arguments: hand the credential over in a variable, env: { TOKEN: "{credential}" }',
      ],
    ],
    [
      "a variable without a credential",
      [["servers", "{runner_temp}", "{credential}"]],
      [
        "servers.yaml:10:19 servers.memory.env.FILE: the server has no credential that {credential} could stand for: write credential, or remove it",
      ],
    ],
    [
      "a secret, whatever else is wrong",
      [["servers", "    url:", `    url: 7 # ghp_${"x".repeat(36)}`]],
      [
        "servers.yaml:3:14 : a secret (GitHub token) stands here, where everybody reads it: revoke it where it came from, remove it, and store a new one with lanyard credential set",
      ],
    ],
  ],
  "the fields of roles.yaml": [
    [
      "a pattern of tools",
      [["roles", "get_*", "get_*_x"]],
      [
        'roles.yaml:14:17 roles.browser.grants[0].tools[0]: "get_*_x": expected the exact name of a tool, or a prefix with one * at its end',
      ],
    ],
    [
      "a pattern of resources",
      [["roles", "tools: [get_*]", "resources: [get_*]"]],
      [
        'roles.yaml:14:21 roles.browser.grants[0].resources[0]: "get_*": expected the URI of a resource, or the beginning of one with one * at its end',
      ],
    ],
    [
      "more roles than anybody reads",
      [
        [
          "roles",
          "  reader:",
          `${long(1000, (i) => `  r${i}: { grants: [{ server: github, tools: [a] }] }\n`)}  reader:`,
        ],
      ],
      ["roles.yaml:2:3 roles: more than 1000 roles: no document needs that"],
    ],
    [
      "more grants than a role has",
      [
        [
          "roles",
          "    grants:\n",
          `    grants:\n${long(1000, () => "      - { server: github, tools: [a] }\n")}`,
        ],
      ],
      ["roles.yaml:4:7 roles.reader.grants: more than 1000 grants: no document needs that"],
    ],
    [
      "more tools than a grant has",
      [["roles", "[get_*]", `[${long(1001, (i) => `t${i}, `)}]`]],
      ["roles.yaml:14:16 roles.browser.grants[0].tools: more than 1000 tools: no document needs that"],
    ],
    [
      "more resources than a grant has",
      [["roles", "tools: [get_*]", `resources: [${long(1001, (i) => `"r:${i}", `)}]`]],
      [
        "roles.yaml:14:20 roles.browser.grants[0].resources: more than 1000 resources: no document needs that",
      ],
    ],
    [
      "more prompts than a grant has",
      [["roles", "tools: [get_*]", `prompts: [${long(1001, (i) => `p${i}, `)}]`]],
      ["roles.yaml:14:18 roles.browser.grants[0].prompts: more than 1000 prompts: no document needs that"],
    ],
    [
      "something that no server asks for",
      [["roles", "tools: [get_*]", "asks: [roots, everything]"]],
      [
        'roles.yaml:14:23 roles.browser.grants[0].asks[1]: "everything": expected sampling or elicitation or roots or logging',
      ],
    ],
    [
      "more flow rules than a role has",
      [
        [
          "roles",
          "  browser:\n",
          `  browser:\n    flow:\n${"      - { after: [private], deny: [public] }\n".repeat(21)}`,
        ],
      ],
      ["roles.yaml:13:7 roles.browser.flow: more than 20 flow rules: no document needs that"],
    ],
  ],
  "the fields of robots/OWNER/REPO.yaml": [
    [
      "an issuer with a slash at its end",
      [["robots", "githubusercontent.com", "githubusercontent.com/"]],
      [
        "robots/acme/payments.yaml:1:9 issuer: write the issuer exactly as its tokens name it in `iss`: no slash at the end, no query",
      ],
    ],
    [
      "an issuer that is written in another way",
      [["robots", "https://token", "https://TOKEN"]],
      [
        "robots/acme/payments.yaml:1:9 issuer: write the issuer in its plain form: https://token.actions.githubusercontent.com",
      ],
    ],
    [
      "the name of a repository",
      [["robots", "repository: acme/payments", "repository: payments"]],
      ['robots/acme/payments.yaml:2:13 repository: "payments": expected OWNER/REPO'],
    ],
    [
      "an id",
      [["robots", '"456789"', '"0"']],
      ['robots/acme/payments.yaml:3:16 repository_id: "0": expected a decimal id'],
    ],
    [
      "no robot",
      [["robots", /robots:[^]*/, "robots: {}\n"]],
      ["robots/acme/payments.yaml:5:9 robots: there is no robot: add one, or remove the file"],
    ],
    [
      "a workflow",
      [["robots", "review.yml", "*.yml"]],
      [
        'robots/acme/payments.yaml:14:19 robots.triager.bindings[1].workflow: ".github/workflows/*.yml": expected the path of one workflow file: .github/workflows/triage.yml',
      ],
    ],
    [
      "an event",
      [["robots", "schedule", "Schedule"]],
      [
        'robots/acme/payments.yaml:9:18 robots.triager.bindings[0].events[0]: "Schedule": expected the name of an event: schedule',
      ],
    ],
    [
      "a ref",
      [["robots", "refs/heads/main", "main"]],
      [
        'robots/acme/payments.yaml:10:14 robots.triager.bindings[0].ref: "main": expected one branch or tag in full: refs/heads/main (for pull requests: pull_request: { base_ref: main })',
      ],
    ],
    [
      "a base",
      [["robots", "base_ref: main", "base_ref: refs/heads/main"]],
      [
        'robots/acme/payments.yaml:16:35 robots.triager.bindings[1].pull_request.base_ref: "refs/heads/main": expected the plain name of the target branch: main',
      ],
    ],
    [
      "a reusable workflow",
      [["robots", "        environment:", "        job_workflow_ref: acme/flows\n        environment:"]],
      [
        'robots/acme/payments.yaml:12:27 robots.triager.bindings[0].job_workflow_ref: "acme/flows": expected OWNER/REPO/.github/workflows/FILE.yml@ and then a commit, refs/tags/… or refs/heads/…',
      ],
    ],
    [
      "a duration",
      [["robots", "ttl: 10m", 'ttl: "10"']],
      [
        'robots/acme/payments.yaml:18:21 robots.triager.session.ttl: "10": expected a whole number with a unit: 90s, 15m or 2h',
      ],
    ],
    [
      "more robots than a repository has",
      [
        [
          "robots",
          "  triager:",
          `${long(100, (i) => `  r${i}: { bindings: [{ workflow: .github/workflows/a.yml, events: [push], ref: refs/heads/main, roles: [reader] }] }\n`)}  triager:`,
        ],
      ],
      ["robots/acme/payments.yaml:6:3 robots: more than 100 robots: no document needs that"],
    ],
    [
      "more bindings than a robot has",
      [
        [
          "robots",
          "    bindings:\n",
          `    bindings:\n${long(50, (i) => `      - { workflow: .github/workflows/a${i}.yml, events: [push], ref: refs/heads/main, roles: [reader] }\n`)}`,
        ],
      ],
      [
        "robots/acme/payments.yaml:8:7 robots.triager.bindings: more than 50 bindings: no document needs that",
      ],
    ],
    [
      "more events than there are",
      [["robots", "events: [schedule,", `events: [${long(30, (i) => `e${i}, `)}schedule,`]],
      [
        "robots/acme/payments.yaml:9:17 robots.triager.bindings[0].events: more than 30 events: no document needs that",
      ],
    ],
    [
      "more roles than a binding has",
      [["robots", "roles: [commenter,", `roles: [${long(100, (i) => `r${i}, `)}commenter,`]],
      [
        "robots/acme/payments.yaml:13:16 robots.triager.bindings[0].roles: more than 100 roles: no document needs that",
      ],
    ],
  ],
  "what stands in several places": [
    [
      "neither a url nor a command",
      [["servers", "    url: https://mcp.example.com/mcp\n", ""]],
      [
        "servers.yaml:2:3 servers.github: write a url (a server elsewhere) or a command (a server the proxy starts)",
      ],
    ],
    [
      "a url and a command",
      [["servers", "    tools:", "    command: [x]\n    tools:"]],
      ["servers.yaml:4:5 servers.github.command: a server with a url has no command: remove one of them"],
    ],
    [
      "a variable that the proxy does not know",
      [["servers", "{workspace}", "--dir={workspce}"]],
      ['servers.yaml:9:44 servers.memory.command[3]: unknown variable {workspce}: did you mean "workspace"?'],
    ],
    [
      "a tool of which nothing is said",
      [["servers", "add_comment: { read_only: false }", "add_comment: {}"]],
      [
        "servers.yaml:7:7 servers.github.tools.add_comment: it says nothing of the tool: write read_only, reads or writes, or remove it",
      ],
    ],
    [
      "a tool that changes nothing and writes",
      [["servers", "get_issue: { read_only: true }", "get_issue: { read_only: true, writes: [public] }"]],
      [
        "servers.yaml:5:37 servers.github.tools.get_issue.writes: a tool that changes nothing writes nowhere: remove writes, or read_only",
      ],
    ],
    [
      "a label twice",
      [["servers", "    url:", "    reads: [private, private]\n    url:"]],
      ['servers.yaml:3:22 servers.github.reads[1]: "private" is in the list twice: remove one of them'],
    ],
    [
      "a grant of nothing",
      [["roles", "        tools: [get_*]\n", ""]],
      [
        "roles.yaml:13:9 roles.browser.grants[0]: it grants nothing of github: name tools, resources, prompts or asks",
      ],
    ],
    [
      "a server that is not registered",
      [["roles", "server: github", "server: githb"]],
      [
        "robots/acme/payments.yaml:17:17 robots.triager.bindings[1].roles[0]: outsiders can cause pull_request, but reader reaches get_issue of githb: give a role of tools that servers.yaml marks read_only (named one by one), or say accept_untrusted: true",
        'roles.yaml:4:17 roles.reader.grants[0].server: there is no server "githb" in servers.yaml: did you mean "github"?',
      ],
    ],
    [
      "a tool twice",
      [["roles", "list_issues]", "get_issue]"]],
      [
        'roles.yaml:5:28 roles.reader.grants[0].tools[1]: "get_issue" is in the list twice: remove one of them',
      ],
    ],
    [
      "a resource of a fact that no run has",
      [["roles", "tools: [get_*]", 'resources: ["repo://{run.repositry}/*"]']],
      [
        'roles.yaml:14:29 roles.browser.grants[0].resources[0]: a run has no "repositry": did you mean "repository"?',
      ],
    ],
    [
      "a fact with a * behind it",
      [["roles", "tools: [get_*]", 'resources: ["repo://acme/{run.repository_name}*"]']],
      [
        "roles.yaml:14:34 roles.browser.grants[0].resources[0]: {run.repository_name}* also names what only begins like it: write {run.repository_name}/*, or {run.repository_name} without the *",
      ],
    ],
    [
      "a host with a * behind it",
      [["roles", "tools: [get_*]", 'resources: ["repo://{run.repository}*"]']],
      [
        "roles.yaml:14:21 roles.browser.grants[0].resources[0]: this names every host that begins like this one: end it with /*",
      ],
    ],
    [
      "roles where there are none",
      [["roles", null, "roles: {}\n"]],
      [
        'robots/acme/payments.yaml:13:17 robots.triager.bindings[0].roles[0]: there is no role "commenter" in roles.yaml: there is none yet',
        'robots/acme/payments.yaml:13:28 robots.triager.bindings[0].roles[1]: there is no role "reader" in roles.yaml: there is none yet',
        'robots/acme/payments.yaml:17:17 robots.triager.bindings[1].roles[0]: there is no role "reader" in roles.yaml: there is none yet',
      ],
    ],
    [
      "a condition that cannot be read",
      [["roles", /when: .*/, "when: args.owner =="]],
      ["roles.yaml:10:28 roles.commenter.grants[0].when: Unexpected token: EOF"],
    ],
    [
      "a condition that assigns",
      [["roles", "args.owner ==", "args.owner ="]],
      ["roles.yaml:10:26 roles.commenter.grants[0].when: one = compares nothing: write =="],
    ],
    [
      "a document in the place of another",
      [["robots", "repository: acme/payments", "repository: acme/ledger"]],
      [
        "robots/acme/payments.yaml:2:13 repository: this file is about acme/ledger: it must be robots/acme/ledger.yaml",
      ],
    ],
    [
      "a session that lasts too long",
      [["robots", "ttl: 10m", "ttl: 2h"]],
      [
        "robots/acme/payments.yaml:18:21 robots.triager.session.ttl: expected between 1m and 1h: sessions are renewed while the job runs",
      ],
    ],
    [
      "a session that cannot be renewed",
      [["robots", "max: 2h", "max: 5m"]],
      [
        "robots/acme/payments.yaml:18:31 robots.triager.session.max: a session lasts 10m already: write a longer max",
      ],
    ],
    [
      "a session longer than any job",
      [["robots", "max: 2h", "max: 9000h"]],
      [
        "robots/acme/payments.yaml:18:31 robots.triager.session.max: expected at most 120h, the longest that a job can run",
      ],
    ],
    [
      "a binding without a ref",
      [["robots", "        ref: refs/heads/main\n", ""]],
      [
        'robots/acme/payments.yaml:8:9 robots.triager.bindings[0]: "ref" is missing. The branch or tag the run is on, in full: refs/heads/main.',
      ],
    ],
    [
      "a binding with a ref and a pull request",
      [["robots", "        pull_request:", "        ref: refs/heads/main\n        pull_request:"]],
      [
        "robots/acme/payments.yaml:17:23 robots.triager.bindings[1].pull_request: it stands in place of ref: remove one of them",
      ],
    ],
    [
      "a push to a pull request",
      [["robots", "[pull_request]", "[push]"]],
      [
        "robots/acme/payments.yaml:15:18 robots.triager.bindings[1].events[0]: push never runs on the merge commit of a pull request: it needs a binding with ref",
      ],
    ],
    [
      "a merge queue on main",
      [["robots", "schedule,", "merge_group,"]],
      [
        "robots/acme/payments.yaml:9:18 robots.triager.bindings[0].events[0]: merge_group runs on refs/heads/gh-readonly-queue/…, never on refs/heads/main: remove it",
      ],
    ],
    [
      "a release on main",
      [["robots", "schedule,", "release,"]],
      [
        "robots/acme/payments.yaml:9:18 robots.triager.bindings[0].events[0]: release runs on the tag of the release (refs/tags/…), never on refs/heads/main: it needs a binding of its own",
      ],
    ],
    [
      "a role that there is not",
      [["robots", "[reader]", "[readr]"]],
      [
        'robots/acme/payments.yaml:17:17 robots.triager.bindings[1].roles[0]: there is no role "readr" in roles.yaml: did you mean "reader"?',
      ],
    ],
    [
      "no role",
      [["robots", "roles: [reader]", "roles: []"]],
      [
        "robots/acme/payments.yaml:17:16 robots.triager.bindings[1].roles: the list is empty: add a role (only a binding with mode: observe needs none)",
      ],
    ],
    [
      "a binding that never matches",
      [
        [
          "robots",
          "    session:",
          "      - { workflow: .github/workflows/review.yml, events: [pull_request], pull_request: { base_ref: main }, roles: [reader] }\n    session:",
        ],
      ],
      [
        "robots/acme/payments.yaml:18:9 robots.triager.bindings[2]: this binding never matches: binding 2 always decides before it",
      ],
    ],
    [
      "an event that is never reached",
      [
        [
          "robots",
          "    session:",
          "      - { workflow: .github/workflows/review.yml, events: [issues, pull_request], pull_request: { base_ref: main }, roles: [reader] }\n    session:",
        ],
      ],
      [
        "robots/acme/payments.yaml:18:68 robots.triager.bindings[2].events[1]: never reached: binding 2 always decides before it",
      ],
    ],
    [
      "accepting what cannot happen",
      [["robots", "        environment:", "        accept_untrusted: true\n        environment:"]],
      [
        "robots/acme/payments.yaml:12:9 robots.triager.bindings[0].accept_untrusted: no event here can be caused by outsiders: remove it",
      ],
    ],
    [
      "outsiders who reach more than reading",
      [["robots", "roles: [reader]", "roles: [commenter]"]],
      [
        "robots/acme/payments.yaml:17:17 robots.triager.bindings[1].roles[0]: outsiders can cause pull_request, but commenter reaches add_comment of github: give a role of tools that servers.yaml marks read_only (named one by one), or say accept_untrusted: true",
      ],
    ],
    [
      "outsiders by an event that is nearly a trusted one",
      [["robots", "workflow_dispatch", "workflow_dispach"]],
      [
        "robots/acme/payments.yaml:13:17 robots.triager.bindings[0].roles[0]: outsiders can cause workflow_dispach (did you mean workflow_dispatch?), but commenter reaches add_comment of github: give a role of tools that servers.yaml marks read_only (named one by one), or say accept_untrusted: true",
      ],
    ],
    [
      "observing what outsiders cause",
      [["robots", "        roles: [reader]", "        roles: [reader]\n        mode: observe"]],
      [
        "robots/acme/payments.yaml:18:15 robots.triager.bindings[1].mode: outsiders can cause pull_request: only runs of push, schedule, workflow_dispatch, merge_group, release can be observed",
      ],
    ],
    [
      "one repository in two documents",
      [["again", null, "robots"]],
      [
        "robots/acme/ledger.yaml:3:16 repository_id: robots/acme/payments.yaml has the same issuer and id: one of them is wrong",
      ],
    ],
  ],
  "lanyard.lock": [
    [
      "a lock of another version",
      [["lock", "version: 1", "version: 2"]],
      ["lanyard.lock:3:10 version: the number 2: expected 1"],
    ],
    [
      "a lock without a version",
      [["lock", "version: 1\n", ""]],
      ['lanyard.lock:3:1 version: "version" is missing. The version of this format: 1.'],
    ],
    [
      "a digest that is none",
      [["lock", /"[0-9a-f]{64}"/, '"x"']],
      [
        'lanyard.lock:8:17 servers.github.tools.add_comment.digest: "x": expected 64 lower-case hex digits: run lanyard policy lock',
      ],
    ],
    [
      "a digest of another definition",
      [["lock", "Reads one issue.", "Reads any issue."]],
      [
        "lanyard.lock:10:17 servers.github.tools.get_issue.digest: the digest is of another definition than the one that stands here: run lanyard policy lock, and change nothing by hand",
      ],
    ],
    [
      "a schema that is no JSON",
      [["lock", '{\n            "type": "object"\n          }', "{"]],
      [
        "lanyard.lock:13:23 servers.github.tools.get_issue.input_schema: this is no JSON: run lanyard policy lock, and change nothing by hand",
      ],
    ],
    [
      "a schema with a name twice",
      [["lock", '"type": "object"', '"type": "object",\n            "type": "object"']],
      [
        "lanyard.lock:13:23 servers.github.tools.get_issue.input_schema: this JSON is not written as lanyard policy lock writes it: run it, and change nothing by hand",
      ],
    ],
    [
      "a schema of many levels",
      [["lock", '{\n            "type": "object"\n          }', "[".repeat(70) + "]".repeat(70)]],
      [
        "lanyard.lock:13:23 servers.github.tools.get_issue.input_schema: more than 64 levels of nesting: no schema needs that",
      ],
    ],
    [
      "a character that hides",
      [["lock", "Reads one issue.", "Reads one issue.\u200b"]],
      [
        "lanyard.lock:12:27 : the character U+200B cannot be seen when reviewing: run lanyard policy lock, which writes it as an escape",
      ],
    ],
  ],
};

/** What the lock says of one server, said of the other too. */
const twin = `  memory:\n${lock.slice(lock.indexOf("    tools:"), lock.indexOf("  memory:"))}`;

const warnings: readonly Row[] = [
  [
    "a credential that no server names",
    [credentials("a: { kind: bearer }")],
    [
      "servers.yaml:13:3 credentials.a: no server has this credential: name it at one (credential), or remove it",
    ],
  ],
  [
    "outsiders who reach what changes things, in writing",
    [["robots", "roles: [reader]", "roles: [commenter]\n        accept_untrusted: true"]],
    [
      "robots/acme/payments.yaml:18:9 robots.triager.bindings[1].accept_untrusted: outsiders who can cause pull_request reach tools that may change things (add_comment of github) as triager: this was accepted in writing",
    ],
  ],
  [
    "outsiders who reach reading, in writing",
    [["robots", "roles: [reader]", "roles: [reader]\n        accept_untrusted: true"]],
    [
      "robots/acme/payments.yaml:18:9 robots.triager.bindings[1].accept_untrusted: outsiders who can cause pull_request reach read-only tools as triager: this was accepted in writing",
    ],
  ],
  [
    "outsiders who have private content read",
    [["servers", "    url:", "    reads: [private]\n    url:"]],
    [
      "robots/acme/payments.yaml:17:17 robots.triager.bindings[1].roles[0]: outsiders who can cause pull_request have reader read what servers.yaml calls private (get_issue of github): give a role without it",
    ],
  ],
  [
    "outsiders who have private resources read",
    [
      ["servers", "    url:", "    reads: [private]\n    url:"],
      ["roles", "tools: [get_issue, list_issues]", 'resources: ["repo://{run.repository}/*"]'],
    ],
    [
      "robots/acme/payments.yaml:17:17 robots.triager.bindings[1].roles[0]: outsiders who can cause pull_request have reader read what servers.yaml calls private (repo://{run.repository}/* of github): give a role without it",
    ],
  ],
  [
    "a reusable workflow that can be moved",
    [
      [
        "robots",
        "        environment:",
        "        job_workflow_ref: acme/flows/.github/workflows/x.yml@refs/heads/main\n        environment:",
      ],
    ],
    [
      "robots/acme/payments.yaml:12:27 robots.triager.bindings[0].job_workflow_ref: whoever can move this branch or tag decides what runs as the robot: name a commit",
    ],
  ],
  [
    "a grant that an earlier one makes useless",
    [["roles", "  commenter:", "      - server: github\n        tools: [get_issue]\n  commenter:"]],
    ["roles.yaml:6:9 roles.reader.grants[1]: grant 1 allows all of this already: remove this one"],
  ],
  [
    "a grant that two make useless",
    [
      [
        "roles",
        "[get_issue, list_issues]",
        "[get_issue]\n      - server: github\n        tools: [list_issues]\n      - server: github\n        tools: [get_issue, list_issues]",
      ],
    ],
    ["roles.yaml:8:9 roles.reader.grants[2]: grants 1 and 2 allow all of this already: remove this one"],
  ],
  [
    "an entry that another grant has already",
    [
      [
        "roles",
        "tools: [get_*]",
        "tools: [get_*]\n      - server: github\n        tools: [get_issue, list_issues]",
      ],
    ],
    ["roles.yaml:16:17 roles.browser.grants[1].tools[0]: grant 1 allows get_issue already: remove it here"],
  ],
  [
    "a condition that a later grant makes useless",
    [["roles", /when: .*/, "when: args.x == 1\n      - server: github\n        tools: [add_*]"]],
    [
      "roles.yaml:8:9 roles.commenter.grants[0]: grant 2 allows all of this without condition or limit, so this one holds nobody back: remove one of them",
    ],
  ],
  [
    "a limit that holds nothing back",
    [
      ["roles", "tools: [add_comment]", "tools: [add_comment, list_issues]"],
      ["roles", /when: .*/, "limit: { calls: 1 }\n      - server: github\n        tools: [add_comment]"],
    ],
    [
      "roles.yaml:9:17 roles.commenter.grants[0].tools[0]: grant 2 allows add_comment without condition or limit, so this one does not hold it back: remove it from one of them",
    ],
  ],
  [
    "all tools of a server",
    [["roles", "[get_*]", '["*"]']],
    [
      "roles.yaml:14:17 roles.browser.grants[0].tools[0]: this names every tool of github, also what it gets tomorrow: name them, or a prefix",
    ],
  ],
  [
    "all resources of a server",
    [["roles", "tools: [get_*]", 'resources: ["repo://*"]']],
    [
      "roles.yaml:14:21 roles.browser.grants[0].resources[0]: this names every resource of github, also what it gets tomorrow: name a longer beginning",
    ],
  ],
  [
    "all prompts of a server",
    [["roles", "tools: [get_*]", 'prompts: ["*"]']],
    [
      "roles.yaml:14:19 roles.browser.grants[0].prompts[0]: this names every prompt of github, also what it gets tomorrow: name them, or a prefix",
    ],
  ],
  [
    "a reader that can write",
    [
      ["roles", "[get_issue, list_issues]", "[get_issue, add_comment]"],
      ["robots", "roles: [reader]", "roles: [browser]\n        accept_untrusted: true"],
    ],
    [
      "robots/acme/payments.yaml:18:9 robots.triager.bindings[1].accept_untrusted: outsiders who can cause pull_request reach tools that may change things (get_* of github) as triager: this was accepted in writing",
      "roles.yaml:5:28 roles.reader.grants[0].tools[1]: servers.yaml does not say that add_comment of github is read_only: mark it there, or do not call the role reader",
    ],
  ],
  [
    "a viewer by a pattern",
    [["roles", "  browser:", "  issue-viewer:"]],
    [
      "roles.yaml:14:17 roles.issue-viewer.grants[0].tools[0]: get_* reaches whatever github names like that, also what changes things: name the tools one by one, or do not call the role issue-viewer",
    ],
  ],
  [
    "a flow rule after what nothing reads",
    [["roles", "  commenter:\n", "  commenter:\n    flow:\n      - { after: [private], deny: [public] }\n"]],
    [
      "roles.yaml:8:18 roles.commenter.flow[0].after: this never takes effect: nothing that its robots reach has reads: [private] in servers.yaml, label it there",
    ],
  ],
  [
    "a flow rule against what nothing writes",
    [
      [
        "roles",
        "  commenter:\n",
        "  commenter:\n    flow:\n      - { after: [untrusted], deny: [public] }\n",
      ],
      ["servers", "    url:", "    reads: [untrusted]\n    url:"],
    ],
    [
      "roles.yaml:8:37 roles.commenter.flow[0].deny: this never takes effect: nothing that its robots reach has writes: [public] in servers.yaml, label it there",
    ],
  ],
  [
    "a server that the lock does not have",
    [["lock", "  memory:\n    tools: {}\n", ""]],
    [
      "servers.yaml:8:3 servers.memory: lanyard.lock does not have this server, so none of its tools exists for agents: run lanyard policy lock",
    ],
  ],
  [
    "a marked tool that the lock does not have",
    [
      ["lock", "version: 1", "version: 1 "],
      ["servers", "add_comment:", "remove_comment:"],
    ],
    [
      'servers.yaml:7:7 servers.github.tools.remove_comment: lanyard.lock has no reviewed tool "remove_comment" of github, so it does not exist for agents: there is add_comment, get_issue, list_issues',
    ],
  ],
  [
    "a granted tool that the lock does not have",
    [
      ["lock", "version: 1", "version: 1 "],
      ["roles", "tools: [add_comment]", "tools: [add_coment]"],
    ],
    [
      'roles.yaml:9:17 roles.commenter.grants[0].tools[0]: lanyard.lock has no reviewed tool "add_coment" of github, so it does not exist for agents: did you mean "add_comment"?',
    ],
  ],
  [
    "a locked server that is registered no more",
    [
      ["lock", "version: 1", "version: 1 "],
      ["servers", "  memory:", "  notes:"],
    ],
    [
      'lanyard.lock:19:3 servers.memory: there is no server "memory" in servers.yaml: run lanyard policy lock',
      "servers.yaml:8:3 servers.notes: lanyard.lock does not have this server, so none of its tools exists for agents: run lanyard policy lock",
    ],
  ],
  [
    "two servers with tools of one name",
    [["lock", "  memory:\n    tools: {}\n", twin]],
    [
      "lanyard.lock:19:3 servers.memory: github has tools of the same name (add_comment, get_issue, list_issues): an agent can take one for the other, grant each name on one of the two servers",
    ],
  ],
];

const unused: readonly Row[] = [
  [
    "a role that no binding gives, a server that no role reaches",
    [["servers", "eager", "lazy"]],
    [
      "roles.yaml:11:3 roles.browser: no binding gives this role: bind it, or remove it",
      "servers.yaml:8:3 servers.memory: no role grants anything of this server: grant something of it, or remove it",
    ],
  ],
];

const problemsOf = (edits: readonly Edit[]): string[] => {
  const loaded = assemblePolicies(applyEdits(edits));
  return loaded.ok ? [] : loaded.problems.map(renderProblem);
};
const problemsIn = (edits: readonly Edit[]): string[] =>
  problemsOf(edits).filter((problem) => problem.startsWith("roles.yaml"));
const warningsOf = (edits: readonly Edit[]): string[] => {
  const loaded = assemblePolicies(applyEdits(edits));
  return loaded.ok ? loaded.warnings.map(renderProblem) : ["refused"];
};
const unusedOf = (edits: readonly Edit[]): string[] => {
  const loaded = assemblePolicies(applyEdits(edits));
  return loaded.ok ? loaded.unused.map(renderProblem) : ["refused"];
};

it("documents that nobody spoiled load without a word, with and without a lock", () => {
  expect(problemsOf([])).toEqual([]);
  expect(warningsOf([])).toEqual([]);
  expect(warningsOf([["lock", "version: 1", "version: 1 "]])).toEqual([]);
});

describe.each(Object.entries(refusals))("loading refuses, of %s,", (_, rows) => {
  it.each(rows)("%s", (_what, edits, messages) => {
    expect(problemsOf(edits)).toEqual(messages);
  });
});

describe("loading warns of", () => {
  it.each(warnings)("%s", (_what, edits, messages) => {
    expect(warningsOf(edits)).toEqual(messages);
  });
});

describe("loading names as unused", () => {
  it.each(unused)("%s", (_what, edits, messages) => {
    expect(unusedOf(edits)).toEqual(messages);
  });

  it("nothing where there are no robots yet", () => {
    const loaded = assemblePolicies(filesOf({}).slice(0, 2));
    expect(loaded.ok && loaded.unused).toEqual([]);
  });
});

const more = "there are more problems from here on: correct these first";

it("a document that is wrong everywhere is told its first hundred problems, and that there are more", () => {
  for (const line of ["  R0: {}\n", "  r0: { grants: [{ server: x, tools: [a] }] }\n", "  1: {}\n"]) {
    const found = problemsIn([
      ["roles", null, `roles:\n${long(150, (index) => line.replace(/(?<=[Rr])0|1/, String(index)))}`],
    ]);
    expect(found).toHaveLength(101);
    expect(found.at(-1)?.replace(/^roles\.yaml:102:\d+ : /, "")).toBe(more);
  }
});

const misplaced: [string, string][] = [
  ["roles.yml", "this file is not read: rename it to roles.yaml"],
  ["servers.yml", "this file is not read: rename it to servers.yaml"],
  ["server.yaml", "this file is not read: rename it to servers.yaml"],
  ["role.yaml", "this file is not read: rename it to roles.yaml"],
  ["robots.yaml", "this file is not read: rename it to robots/OWNER/REPO.yaml"],
  ["robots.yml", "this file is not read: rename it to robots/OWNER/REPO.yaml"],
  ["robot", "this file is not read: rename it to robots"],
  ["test", "this file is not read: rename it to tests"],
  ["test.yaml", "this file is not read: rename it to tests/NAME.yaml"],
  ["tests.yml", "this file is not read: rename it to tests/NAME.yaml"],
  ["lanyard.lock.yaml", "this file is not read: rename it to lanyard.lock"],
  ["lanyard.lock.json", "this file is not read: rename it to lanyard.lock"],
  ["lock.yaml", "this file is not read: rename it to lanyard.lock"],
  ["robots/acme/ledger.yml", "this file is not read: rename it to end in .yaml"],
  ["robots/ledger.yaml", "this file is not read: move it to robots/OWNER/REPO.yaml"],
];

describe("a policy directory", () => {
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "messages-"));
    for (const { path, text } of filesOf({})) {
      await write(path, text);
    }
  });
  afterEach(async () => {
    await rm(directory, { recursive: true, force: true });
  });
  const write = async (path: string, text: string | Uint8Array): Promise<void> => {
    await mkdir(join(directory, path, ".."), { recursive: true });
    await writeFile(join(directory, path), text);
  };
  const load = async (): Promise<string[]> => {
    const loaded = await loadPolicies(directory);
    return loaded.ok ? [] : loaded.problems.map(({ file, message }) => `${file}: ${message}`);
  };

  const withoutDetail = (messages: string[]) =>
    messages.map((each) => each.replace(/\(([A-Z]+):.*\)/, "($1)"));

  it.each(misplaced)("refuses %s", async (path, message) => {
    await write(path, "x: 1\n");
    expect(await load()).toEqual([`${path}: ${message}`]);
  });

  it("may hold a lock, tests, hidden files and other documents", async () => {
    await write("tests/reader.yaml", "tests: []\n");
    await write("README.md", "# notes");
    await write(".git/config", "x");
    const [locked] = applyEdits([["lock", "version: 1", "version: 1 "]]).slice(-1);
    await write("lanyard.lock", locked?.text ?? "");
    const loaded = await loadPolicies(directory);
    expect(loaded.ok && [...(loaded.policies.lock?.keys() ?? [])]).toEqual(["github", "memory"]);
  });

  it("has no lock where there is no lanyard.lock", async () => {
    const loaded = await loadPolicies(directory);
    expect(loaded.ok && loaded.policies.lock).toBeUndefined();
  });

  it("with a lock that does not load gives no policies: without it, every tool would be reviewed", async () => {
    await write("lanyard.lock", "servers: {}\n");
    expect(await load()).toEqual(['lanyard.lock: "version" is missing. The version of this format: 1.']);
  });

  it("says what is wrong with its files", async () => {
    await rm(join(directory, "roles.yaml"));
    expect(await load()).toEqual([`roles.yaml: there is no roles.yaml in ${directory}: write one`]);
    await write("roles.yaml", Uint8Array.from([0x72, 0xff, 0xfe]));
    expect(await load()).toEqual(["roles.yaml: the file is not UTF-8: save it as UTF-8"]);
    await write("roles.yaml", "#".repeat(256 * 1024 + 1));
    expect(await load()).toEqual(["roles.yaml: the file is larger than 256 KiB: no document needs that"]);
    await rm(join(directory, "roles.yaml"));
    await mkdir(join(directory, "roles.yaml"));
    expect(await load()).toEqual(["roles.yaml: this is not a file: put the document itself here"]);
    await rm(join(directory, "roles.yaml"), { recursive: true });
    await symlink("roles.yaml", join(directory, "roles.yaml"));
    expect(withoutDetail(await load())).toEqual(["roles.yaml: the file cannot be read (ELOOP)"]);
  });

  it("says what is wrong with its folders", async () => {
    await rm(join(directory, "robots"), { recursive: true });
    await symlink("robots", join(directory, "robots"));
    expect(withoutDetail(await load())).toEqual(["robots: the directory cannot be read (ELOOP)"]);
    await rm(join(directory, "robots"));
    await write("robots", "x");
    expect(await load()).toEqual(["robots: this is not a directory, or it is just being replaced"]);
    const nowhere = await loadPolicies(join(directory, "nowhere"));
    expect(nowhere.ok ? [] : nowhere.problems.map(({ message }) => message)).toEqual([
      `there is no directory ${join(directory, "nowhere")}`,
    ]);
  });

  it("of more than 16 MiB is not read to its end", async () => {
    const text = `#${"x".repeat(256 * 1024 - 2)}\n`;
    for (let index = 0; index < 66; index++) {
      await write(`robots/acme/r${index}.yaml`, text);
    }
    expect((await load()).at(-1)).toMatch(
      /^robots\/acme\/r\d+\.yaml: the documents up to this one hold more than 16 MiB: none after it is read$/,
    );
  });
});

/** What cannot be provoked in a test, each with its reason. */
const unprovoked = [
  // Ten thousand files, and a file that changes between two system calls.
  "documents: none of them is read",
  "the file changed while it was read",
];

it("no message is in the sources that no row here provokes", async () => {
  const provoked = [...Object.values(refusals).flat(), ...warnings, ...unused].flatMap(
    ([, , messages]) => messages,
  );
  const known = [...provoked, more, ...misplaced.map(([, message]) => message)].join("\n");
  const own = await readFile(import.meta.filename, "utf8");
  const directoryTests = own.slice(
    own.indexOf('describe("a policy directory"'),
    own.indexOf("const unprovoked"),
  );
  const folder = join(import.meta.dirname, "../../policies");
  const files = [
    ...(await readdir(join(folder, "documents"))).map((name) => `documents/${name}`),
    ...(await readdir(join(folder, "checks"))).map((name) => `checks/${name}`),
    ...["lock/lock.ts", "lock/json-text.ts", "loading.ts", "resource-pattern.ts", "tool-pattern.ts"],
  ].filter((path) => path !== "documents/test-document.ts");
  const found: string[] = [];
  for (const path of files) {
    const source = ts.createSourceFile(
      path,
      await readFile(join(folder, path), "utf8"),
      ts.ScriptTarget.Latest,
      true,
    );
    found.push(...listSentences(source));
  }
  expect(found.length).toBeGreaterThan(60);
  const silent = found.filter((sentence) => {
    const parts = sentence.split("${}").map((part) => part.trim());
    const pattern = new RegExp(parts.map((part) => RegExp.escape(part)).join(".*"));
    return (
      !pattern.test(known) &&
      !pattern.test(directoryTests) &&
      !unprovoked.some((each) => sentence.includes(each))
    );
  });
  expect(silent).toEqual([]);
});

/** Texts of three words or more that are no description and no surprise; `${}` where something is filled in. */
function listSentences(source: ts.Node): string[] {
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    if (isNoMessage(node)) {
      return;
    }
    if (ts.isStringLiteral(node) || ts.isNoSubstitutionTemplateLiteral(node)) {
      found.push(node.text);
    } else if (ts.isTemplateExpression(node)) {
      found.push([node.head.text, ...node.templateSpans.map(({ literal }) => literal.text)].join("${}"));
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found.filter(
    (text) => (text.replaceAll("${}", "").match(/\p{L}{2,}/gu) ?? []).length >= 3 && /\s/.test(text),
  );
}

function isNoMessage(node: ts.Node): boolean {
  if (ts.isNewExpression(node)) {
    return true;
  }
  if (ts.isPropertyAssignment(node) && node.name.getText() === "description") {
    return true;
  }
  const call = node.parent;
  if (call === undefined || !ts.isCallExpression(call) || node === call.expression) {
    return false;
  }
  const position = call.arguments.findIndex((each) => each === node);
  const name = call.expression.getText();
  return (
    ["z.describe", "nameOf", "decimalId", "jsonText", "described", "address"].includes(name) ||
    (["textLike", "amount"].includes(name) && position === 2) ||
    (name === "wholeNumber" && position === 1) ||
    (name === "textWithout" && position === 1)
  );
}
