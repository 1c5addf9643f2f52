/** What a server asks for within its results, in the era without sessions (multi round-trip requests). */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { SessionGrant } from "../../../../policies/session-policy.ts";
import type { Limits } from "../../../../proxy/limits.ts";
import {
  answerJson,
  type ScriptedServer,
  startScriptedServer,
} from "../../../support/mcp-scripted-http-server.ts";
import { call, OTHER_TOKEN, type Rig, type Said, SECRET, send, startRig, stateless } from "../../rig.ts";

const QUESTION = { method: "elicitation/create", params: { mode: "form", message: "Which branch?" } };
const ROOTS = { method: "roots/list" };
const REFUSED = /asked for input .* that this session does not grant/;
const CAPABILITIES = "io.modelcontextprotocol/clientCapabilities";
const LOG_LEVEL = "io.modelcontextprotocol/logLevel";

let server: ScriptedServer;
let rig: Rig;
let url: string;
/** What the server needs before it is done, by the name of the input. */
let needs: Said;
let answer: ((id: unknown) => Said) | undefined;

async function start(asks: SessionGrant["asks"], limits: Partial<Limits> = {}): Promise<void> {
  rig = await startRig({
    servers: { one: { transport: "http", url: server.url } },
    grants: [
      { server: "one", tools: ["echo", "other"], ...(asks && { asks }) },
      { server: "one", prompts: ["ask"] },
    ],
    limits,
  });
  url = `${rig.url}/mcp/one`;
}

beforeEach(async () => {
  needs = { branch: QUESTION };
  answer = undefined;
  server = await startScriptedServer(({ message }, response) => {
    const { id, params } = message;
    const isAnswered = Object.keys(needs).every((name) => params?.inputResponses?.[name] !== undefined);
    const result = isAnswered
      ? { resultType: "complete", content: [] }
      : { resultType: "input_required", inputRequests: needs, requestState: "state" };
    answerJson(response, { jsonrpc: "2.0", id, ...(answer?.(id) ?? { result }) });
  });
});

afterEach(async () => {
  await rig.close();
  await server.close();
});

interface Asked {
  readonly tool?: string;
  readonly inputResponses?: Said;
  readonly token?: string;
  readonly meta?: Said;
}

const ask = ({ tool = "echo", inputResponses, token, meta = {} }: Asked = {}) => {
  const message: Said = call(1, tool);
  const sent = stateless({
    ...message,
    params: { ...message.params, ...(inputResponses && { inputResponses, requestState: "state" }) },
  });
  const body: Said = sent.body;
  Object.assign(body.params._meta, meta);
  return send(url, {
    ...sent,
    headers: { ...sent.headers, ...(token && { authorization: `Bearer ${token}` }) },
  });
};

const sentLast = (): Said => server.received.at(-1)?.message.params;
const asksOnLog = () => rig.recorder.of("call").filter(({ method }) => method !== "tools/call");
const accept = (content: Said = {}) => ({ action: "accept", content });

describe("an input that a grant lets a server ask for", () => {
  it("reaches the agent, its answer the server, and both the log before they are passed", async () => {
    await start(["elicitation"]);
    const first = await ask();
    expect(first.json.result).toEqual({
      ...{ resultType: "input_required", requestState: "state" },
      inputRequests: { branch: QUESTION },
    });
    expect(asksOnLog()).toMatchObject([
      { method: QUESTION.method, decision: "allow", rule: "triager#1", arguments: QUESTION.params },
    ]);
    const second = await ask({ inputResponses: { branch: accept({ n: 1.5 }) } });
    expect(second.json.result.resultType).toBe("complete");
    expect(sentLast()).toMatchObject({
      inputResponses: { branch: accept({ n: 1.5 }) },
      requestState: "state",
    });
    const [, own] = rig.recorder.of("result");
    expect(own).toMatchObject({ call: asksOnLog()[0]?.id, outcome: "ok" });
  });

  it("of several kinds at once comes as it was sent", async () => {
    await start(["elicitation", "roots"]);
    needs = { branch: QUESTION, where: ROOTS };
    expect((await ask()).json.result.inputRequests).toEqual(needs);
    const inputResponses = { branch: accept(), where: { roots: [] } };
    expect((await ask({ inputResponses })).json.result.resultType).toBe("complete");
    expect(asksOnLog().map(({ method }) => method)).toEqual(["elicitation/create", "roots/list"]);
  });

  it("is offered to the server as the client offers it, with the level of its log", async () => {
    await start(["roots", "logging"]);
    const offered = { roots: {}, sampling: {}, elicitation: { form: {} } };
    const meta = { [CAPABILITIES]: offered, [LOG_LEVEL]: "debug" };
    await ask({ meta });
    expect(sentLast()._meta).toMatchObject({ [CAPABILITIES]: { roots: {} }, [LOG_LEVEL]: "debug" });
    expect(sentLast()._meta[CAPABILITIES]).toEqual({ roots: {} });
    await rig.close();
    await start(["sampling"]);
    await ask({ meta });
    expect(sentLast()._meta[CAPABILITIES]).toEqual({ sampling: {} });
    expect(sentLast()._meta).not.toHaveProperty([LOG_LEVEL]);
  });
});

describe("a server that asks for an input that the role does not allow", () => {
  it.each([
    ["alone", { branch: QUESTION }],
    ["beside one that it may have", { where: ROOTS, branch: QUESTION }],
    ["that nobody knows", { x: { method: "tools/call", params: {} } }],
    ["that is none", { x: "elicitation/create" }],
    ["as a task", { where: { ...ROOTS, params: { task: {} } } }],
  ])("%s: its answer is refused as a whole, and the agent sees none of it", async (_, inputs) => {
    await start(["roots"]);
    needs = inputs;
    const { json, text } = await ask();
    expect(json.result).toMatchObject({ isError: true });
    expect(json.result.content[0].text).toMatch(REFUSED);
    expect(text).not.toContain("branch?");
    expect(rig.recorder.of("result").map(({ outcome }) => outcome)).toContain("blocked");
    await ask({ inputResponses: { where: { roots: [] } } });
    expect(sentLast()).not.toHaveProperty("inputResponses");
  });

  it("in an error that names pages to visit: refused, and passed where it is granted", async () => {
    answer = () => ({
      error: {
        code: -32042,
        message: "visit",
        data: { elicitations: [{ mode: "url", url: "https://x.example" }] },
      },
    });
    await start(["roots"]);
    expect((await ask()).text).not.toContain("x.example");
    await rig.close();
    await start(["elicitation"]);
    expect((await ask()).json.error.data.elicitations[0].url).toBe("https://x.example");
    expect(asksOnLog()).toMatchObject([{ method: "elicitation/create" }]);
  });

  it("in a result that does not say that it asks: refused", async () => {
    await start(["elicitation"]);
    answer = () => ({ result: { content: [], inputRequests: { branch: QUESTION } } });
    expect((await ask()).json.result.content[0].text).toMatch(REFUSED);
  });

  it("of a session over a handshake: refused, since there it asks by a request", async () => {
    await start(["elicitation"]);
    expect((await send(url, { body: call(1, "echo") })).json.result.content[0].text).toMatch(REFUSED);
  });
});

describe("answers for an input the agent never was asked for", () => {
  it("do not go on: none asked, another name, another tool, another agent, or once more", async () => {
    await start(["elicitation"]);
    await ask({ inputResponses: { branch: accept() } });
    expect(sentLast()).not.toHaveProperty("inputResponses");
    // That call was answered with the question: it waits now.
    await ask({ inputResponses: { other: accept() } });
    expect(sentLast()).not.toHaveProperty("inputResponses");
    await ask({ tool: "other", inputResponses: { branch: accept() } });
    expect(sentLast()).not.toHaveProperty("inputResponses");
    await ask({ token: OTHER_TOKEN, inputResponses: { branch: accept() } });
    expect(sentLast()).not.toHaveProperty("inputResponses");
    const asked = asksOnLog().filter(({ agent }) => agent === "agent").length;
    expect(rig.recorder.events("agent_answer_dropped").length).toBeGreaterThan(0);
    await ask({ inputResponses: { branch: accept(), other: accept() } });
    expect(sentLast().inputResponses).toEqual({ branch: accept() });
    expect(asked).toBe(3);
  });

  it("do not go on where nothing is granted", async () => {
    await start(undefined);
    await ask({ inputResponses: { branch: accept() } });
    expect(sentLast()).not.toHaveProperty("inputResponses");
  });
});

describe("a flood of inputs", () => {
  it("in one result is refused, over many it is held to a number that waits", async () => {
    await start(["elicitation"], { maxAsks: 2 });
    needs = { a: QUESTION, b: QUESTION, c: QUESTION };
    expect((await ask()).json.result.content[0].text).toMatch(REFUSED);
    expect(asksOnLog()).toEqual([]);
    needs = { a: QUESTION };
    await ask();
    await ask();
    expect((await ask()).json.result.content[0].text).toMatch(REFUSED);
    expect(rig.recorder.events("limit_reached")[0]?.detail).toMatchObject({ limit: "max_asks" });
  });

  it("that nobody answers does not wait for ever", async () => {
    await start(["elicitation"], { callTimeoutMs: 200 });
    await ask();
    await expect
      .poll(() => rig.recorder.of("result").map(({ outcome }) => outcome), { timeout: 10_000 })
      .toEqual(["ok", "timeout"]);
    await ask({ inputResponses: { branch: accept() } });
    expect(sentLast()).not.toHaveProperty("inputResponses");
  });
});

it("the text of an input is cleaned, and a secret in the answer does not reach the server", async () => {
  await start(["elicitation"]);
  needs = { branch: { ...QUESTION, params: { message: `\u001b[2JPaste ${SECRET}\u200b here` } } };
  const { json } = await ask();
  expect(json.result.inputRequests.branch.params.message).toBe("Paste [redacted:bearer:canary] here");
  await ask({ inputResponses: { branch: accept({ token: SECRET }) } });
  expect(sentLast().inputResponses.branch.content).toEqual({ token: "[redacted:bearer:canary]" });
  expect(rig.recorder.of("result")[1]).toMatchObject({ redactions: { bearer: 1 } });
});

it("what cannot be recorded is neither asked nor answered", async () => {
  await start(["elicitation"]);
  rig.recorder.fails = (entry) => entry.kind === "call" && entry.method === QUESTION.method;
  expect((await ask()).text).not.toContain("branch?");
  rig.recorder.fails = () => false;
  await ask();
  const before = server.received.length;
  rig.recorder.fails = (entry) => entry.kind === "result";
  expect((await ask({ inputResponses: { branch: accept() } })).text).toContain("audit log cannot be written");
  expect(server.received.length).toBe(before);
});

it("a request of the server on the stream of a call: there are none in this era", async () => {
  await start(["elicitation"]);
  answer = () => ({ id: "q", ...QUESTION });
  const { text } = await ask();
  expect(text).not.toContain("branch?");
});
