import { describe, expect, it } from "vitest";
import {
  findMembersOf,
  findReceivedBytes,
  readServerMessages,
  replaceInMessage,
  type ServerAnswer,
  withId,
} from "../../../proxy/messages/server-message.ts";

function readAnswer(text: string): { answer: ServerAnswer; bytes: Buffer } {
  const bytes = Buffer.from(text);
  const [answer] = readServerMessages(bytes.toString("latin1"), bytes) ?? [];
  if (answer?.kind !== "result") {
    throw new TypeError("no result");
  }
  return { answer, bytes };
}

function textsOf(answer: ServerAnswer): Record<string, string> {
  const spans = [...(findMembersOf(answer, "result") ?? [])];
  return Object.fromEntries(spans.map(([name, { start, end }]) => [name, answer.text.slice(start, end)]));
}

const members = { content: '[{"text":"ü"}]', isError: "false" };
const result = '{ "content": [{"text":"ü"}], "isError":false }';
const latin1 = { ...members, content: Buffer.from(members.content).toString("latin1") };

describe("the bytes that came", () => {
  it("are those of a message that nobody changed", () => {
    const { answer, bytes } = readAnswer(`{"jsonrpc":"2.0","id":1,"result":${result}}`);
    expect(findReceivedBytes(answer)).toBe(bytes);
    expect(findReceivedBytes(withId(answer, 1))).toBe(bytes);
  });

  it("are not those of a message of which a part was replaced, by whoever did it", () => {
    const { answer } = readAnswer(`{"jsonrpc":"2.0","id":1,"result":${result}}`);
    const span = findMembersOf(answer, "result")?.get("isError");
    if (span === undefined) {
      throw new TypeError("no span");
    }
    expect(findReceivedBytes(replaceInMessage(answer, span, "fals3"))).toBeUndefined();
    expect(findReceivedBytes({ ...answer, text: answer.text.replace("false", "fals3") })).toBeUndefined();
    expect(findReceivedBytes(withId(answer, 2))).toBeUndefined();
  });
});

describe("the members of a result", () => {
  it.each([
    ["behind the id", `{"jsonrpc":"2.0","id":1,"result":${result}}`],
    ["before the id", `{"result":${result},"id":1,"jsonrpc":"2.0"}`],
  ])("are found after another id was written: %s", (_, text) => {
    const { answer } = readAnswer(text);
    expect(textsOf(answer)).toEqual(latin1);
    const renamed = withId(answer, "a much longer one");
    expect(JSON.parse(Buffer.from(renamed.text, "latin1").toString())).toMatchObject({
      id: "a much longer one",
    });
    expect(textsOf(renamed)).toEqual(latin1);
    expect(textsOf(withId(renamed, 2))).toEqual(latin1);
  });

  it("are looked for again once a part of them was replaced", () => {
    const { answer } = readAnswer(`{"jsonrpc":"2.0","id":1,"result":${result}}`);
    const span = findMembersOf(answer, "result")?.get("content");
    if (span === undefined) {
      throw new TypeError("no span");
    }
    expect(textsOf(replaceInMessage(answer, span, '"[removed] }"'))).toEqual({
      content: '"[removed] }"',
      isError: "false",
    });
  });

  it("are none where one stands twice", () => {
    const { answer } = readAnswer('{"jsonrpc":"2.0","id":1,"result":{"isError":true,"isError":false}}');
    expect(findMembersOf(answer, "result")).toBeUndefined();
  });
});
