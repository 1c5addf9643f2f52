/** Entries of a log, as short as the schema allows. */
import type { EntryOf } from "../../audit/record.ts";
import { describeGenesis } from "../../action/guard/genesis.ts";
import { sessionDocument } from "./session-document.ts";

export const genesis = (): EntryOf<"genesis"> =>
  describeGenesis({
    document: sessionDocument(),
    broker: "https://lanyard.acme.dev",
    agents: ["agent"],
    servers: ["files"],
    runnerEnvironment: "github-hosted",
    bundle: Buffer.from("bundle"),
  });

export const call = (changes: Partial<EntryOf<"call">> = {}): EntryOf<"call"> => ({
  kind: "call",
  id: "call-1",
  agent: "agent",
  client: null,
  server: "files",
  method: "tools/call",
  tool: "read_file",
  decision: "allow",
  reason: "granted",
  rule: "reader#1",
  ...changes,
});

export const result = (changes: Partial<EntryOf<"result">> = {}): EntryOf<"result"> => ({
  kind: "result",
  call: "call-1",
  outcome: "ok",
  duration_ms: 1,
  bytes: 10,
  ...changes,
});

/** A call of about this many bytes. */
export const longCall = (bytes: number): EntryOf<"call"> => call({ arguments: { text: "x".repeat(bytes) } });
