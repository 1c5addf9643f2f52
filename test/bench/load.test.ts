/** The load as the benches start it: a right answer counts, whatever its bytes, and a wrong one ends the bench. */
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { withPrograms } from "../../bench/child-program.ts";
import { LoadResult } from "../../bench/program-contract.ts";
import { toolResult } from "../../bench/programs/sample-tools.ts";

const pinning = { kind: "none", reason: "this is no measurement" } as const;

/** A server whose answer to a tool call is made by the test. */
async function measureAgainst(answer: (id: number) => { status: number; body: string }): Promise<unknown> {
  const server = createServer((request, response) => {
    let text = "";
    request.on("data", (chunk: Buffer) => (text += chunk.toString()));
    request.on("end", () => {
      const { id, method } = JSON.parse(text);
      if (id === undefined) return response.writeHead(202).end();
      const made = method === "tools/call" ? answer(id) : { status: 200, body: "{}" };
      return response
        .writeHead(made.status, { "content-length": Buffer.byteLength(made.body) })
        .end(made.body);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`;
  return withPrograms(pinning, async (start) => {
    const load = await start("load", "load");
    return load.ask({ endpoint: { url, headers: {} }, result_bytes: 100, concurrency: 2, calls: 6 });
  });
}

const result = toolResult(100);

describe("the load", () => {
  it("takes an answer that says the same in other bytes", async () => {
    const answered = await measureAgainst((id) => ({
      status: 200,
      body: JSON.stringify({ result: { isError: false, content: result.content }, id, jsonrpc: "2.0" }),
    }));
    expect(LoadResult.parse(answered).p99_us).toBeGreaterThan(0);
  });

  it.each([
    [
      "one character of its text is another",
      { ...result, content: [{ type: "text", text: "?".repeat(100) }] },
    ],
    ["it is an error of the tool", { ...result, isError: true }],
  ])("ends with a sentence when %s", async (_, wrong) => {
    const body = (id: number): string =>
      JSON.stringify({ jsonrpc: "2.0", id, result: id === 4 ? wrong : result });
    await expect(measureAgainst((id) => ({ status: 200, body: body(id) }))).rejects.toThrow(
      "load: call 4 of read_records was answered with 200",
    );
  });

  it("ends with a sentence when an answer is another call's", async () => {
    const body = JSON.stringify({ jsonrpc: "2.0", id: 1, result });
    await expect(measureAgainst(() => ({ status: 200, body }))).rejects.toThrow(
      /^load: call [2-6] of read_records/,
    );
  });

  it("ends with a sentence when the server refuses", async () => {
    await expect(measureAgainst(() => ({ status: 503, body: "busy" }))).rejects.toThrow(
      /^load: call [12] of read_records was answered with 503 busy$/,
    );
  });
});
