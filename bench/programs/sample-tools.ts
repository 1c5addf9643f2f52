/**
 * The tools of the bare MCP server and what they answer: the one place that both the server and the load take it from,
 * so that an answer can be compared with what it must be, byte by byte.
 */

/** The tool that the load calls. */
export const MEASURED_TOOL = "read_records";

const names = [
  MEASURED_TOOL,
  ...["list_records", "search_records", "count_records", "update_record", "delete_record", "list_labels"],
  ...["add_label", "remove_label", "get_issue", "list_issues", "search_issues", "add_comment", "close_issue"],
  ...["get_file", "list_files", "search_files", "write_file", "run_query", "send_message"],
];

export const tools = names.map((name) => ({
  name,
  title: name.replaceAll("_", " "),
  description: `Stands for a tool that would ${name.replaceAll("_", " ")} of a repository.`,
  inputSchema: {
    type: "object",
    properties: {
      owner: { type: "string", description: "Owner of the repository" },
      repo: { type: "string", description: "Name of the repository" },
      bytes: { type: "integer", description: "Length of the answer's text" },
    },
    required: ["owner", "repo"],
  },
  annotations: { readOnlyHint: /^(read|list|search|count|get)_/.test(name) },
}));

/** Exactly `bytes` characters of ASCII, with the quotes and line ends that such texts have. */
export function textOfLength(bytes: number): string {
  const lines: string[] = [];
  for (let length = 0, id = 1000; length < bytes; id += 1) {
    const line = `#${id} open "Totals are wrong for ${id % 97} invoices" labels=bug,billing updated=2026-11-${10 + (id % 20)}\n`;
    lines.push(line);
    length += line.length;
  }
  return lines.join("").slice(0, bytes);
}

export function toolResult(bytes: number): { content: { type: "text"; text: string }[]; isError: boolean } {
  return { content: [{ type: "text", text: textOfLength(bytes) }], isError: false };
}

/** A JSON-RPC answer, in the order of members in which the bare server writes it. */
export function answerText(id: unknown, result: string): string {
  return `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":${result}}`;
}

/** What a server can say on a stream without having been asked. */
export const STREAM_MESSAGE = JSON.stringify({
  jsonrpc: "2.0",
  method: "notifications/progress",
  params: { progressToken: "held", progress: 1 },
});
