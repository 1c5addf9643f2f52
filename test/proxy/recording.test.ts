import { describe, expect, it } from "vitest";
import { createRedactor } from "../../audit/redaction/redaction.ts";
import { RecordingFailed } from "../../proxy/recorder.ts";
import { type CallFacts, Recording } from "../../proxy/recording.ts";
import { WitnessRecorder } from "../support/mcp-witness-recorder.ts";

const SECRET = "hunter2-canary-secret-value";
const facts: CallFacts = { agent: "agent", client: undefined, server: "one", method: "tools/call" };
const allow = { decision: "allow", reason: "granted", rule: "r#1" } as const;

function open(): { recorder: WitnessRecorder; recording: Recording } {
  const recorder = new WitnessRecorder();
  const redactor = createRedactor([{ id: "canary", kind: "bearer", value: SECRET }]);
  return { recorder, recording: new Recording({ recorder, redactor, salt: Buffer.from("salt") }) };
}

describe("a recording", () => {
  it("writes a secret nowhere, whoever says it", () => {
    const { recorder, recording } = open();
    const said = `it is ${SECRET}`;
    const client = { name: said, version: said };
    recording.recordCall(
      { ...facts, client, method: said, named: { kind: "prompt", name: said }, args: { [said]: [said] } },
      allow,
    );
    recording.recordEvent("client_attached", "info", { agent: said, client });
    recording.noteRepeated("message_refused", "kind", { reason: said });
    expect(recorder.records).toHaveLength(3);
    expect(JSON.stringify(recorder.records)).not.toContain("hunter2");
    expect(JSON.stringify(recorder.records)).toContain("[redacted:bearer:canary]");
  });

  it("gives equal arguments one digest, and another session another one", () => {
    const { recorder, recording } = open();
    recording.recordCall({ ...facts, args: { a: 1, b: 2 } }, allow);
    recording.recordCall({ ...facts, args: { b: 2, a: 1 } }, allow);
    const other = new Recording({ recorder, redactor: createRedactor([]), salt: Buffer.from("pepper") });
    other.recordCall({ ...facts, args: { a: 1, b: 2 } }, allow);
    const [first, second, third] = recorder.of("call").map((call) => call.arguments_digest);
    expect(second).toBe(first);
    expect(third).not.toBe(first);
  });

  it("holds as much of the arguments as it is told, and their digest in any case", () => {
    const { recorder, recording } = open();
    const args = { to: "a@b", [SECRET]: { deep: "c" } };
    for (const argumentsInLog of ["full", "redacted", "digest"] as const) {
      recording.recordCall({ ...facts, args, argumentsInLog }, allow);
    }
    const [full, redacted, digest] = recorder.of("call");
    expect(full?.arguments).toEqual({ to: "a@b", "[redacted:bearer:canary]": { deep: "c" } });
    expect(redacted?.arguments).toEqual({ to: "[withheld]", "[redacted:bearer:canary]": "[withheld]" });
    expect(digest).not.toHaveProperty("arguments");
    expect(new Set(recorder.of("call").map((call) => call.arguments_digest)).size).toBe(1);
    recording.recordCall({ ...facts, args: ["x"], argumentsInLog: "redacted" }, allow);
    expect(recorder.of("call")[3]?.arguments).toBe("[withheld]");
  });

  it("counts what it wrote, and a call that ended otherwise than well as failed", () => {
    const { recording } = open();
    const ids = [1, 2, 3].map(() => recording.recordCall(facts, allow));
    recording.recordCall(facts, { decision: "deny", reason: "no_grant" });
    ids.forEach((call, index) =>
      recording.recordResult({ call, outcome: index === 0 ? "ok" : "timeout", duration_ms: 1, bytes: 0 }),
    );
    expect(recording.totals()).toEqual({ calls: 4, allowed: 3, denied: 1, failed: 2 });
  });

  it("counts no call that was not written, and says so whatever went wrong", () => {
    const { recorder, recording } = open();
    recorder.fails = () => {
      throw new TypeError("a surprise");
    };
    expect(() => recording.recordCall(facts, allow)).toThrow(RecordingFailed);
    expect(() => recording.recordEvent("client_attached", "info", {})).toThrow(RecordingFailed);
    expect(() => recording.noteEvent("upstream_lost", "warning", {})).not.toThrow();
    expect(recording.totals().calls).toBe(0);
  });

  it("writes an event that repeats the 1st, 10th and 100th time", () => {
    const { recorder, recording } = open();
    for (let time = 0; time < 150; time++) {
      recording.noteRepeated("request_refused", "unauthorized", { reason: "unauthorized" });
      recording.noteRepeated("request_refused", `made up ${time}`, { reason: "other" });
    }
    const counts = recorder
      .events("request_refused")
      .filter(({ detail }) => detail["reason"] === "unauthorized")
      .map(({ detail }) => detail["count"]);
    expect(counts).toEqual([1, 10, 100]);
  });

  it("keeps no more kinds of events apart than its bound", () => {
    const { recorder, recording } = open();
    for (let kind = 0; kind < 5_000; kind++) {
      recording.noteRepeated("request_refused", `kind ${kind}`, {});
    }
    expect(recorder.records.length).toBeLessThan(510);
  });
});
