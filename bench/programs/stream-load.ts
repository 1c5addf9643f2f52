/** Agents that hold streams open which belong to no request, and count what becomes of them. */
import { type ClientRequest, request as send } from "node:http";
import { type Endpoint, StreamQuestion, type StreamCount } from "../program-contract.ts";
import { openSession } from "./mcp-session.ts";
import { serveParent } from "./parent.ts";
import { RawConnection } from "./raw-connection.ts";
import { STREAM_MESSAGE } from "./sample-tools.ts";

/** Those that are open, with what came on each. */
const held = new Map<ClientRequest, string>();

/** A session, and in it so many streams. Resolves when all of them are answered; throws where one is refused. */
async function openStreams(endpoint: Endpoint, atEach: number): Promise<void> {
  const connection = await RawConnection.open(new URL(endpoint.url));
  const { fields } = await openSession(connection, endpoint);
  connection.close();
  await Promise.all(Array.from({ length: atEach }, () => openStream({ url: endpoint.url, headers: fields })));
}

function openStream({ url, headers }: Endpoint): Promise<void> {
  return new Promise((resolve, reject) => {
    const stream = send(url, { agent: false, headers: { ...headers, accept: "text/event-stream" } });
    stream.once("error", reject);
    stream.once("response", (answer) => {
      stream.on("error", () => held.delete(stream));
      stream.once("close", () => held.delete(stream));
      if (answer.statusCode !== 200) {
        reject(new Error(`a stream was refused with ${answer.statusCode}`));
        return;
      }
      held.set(stream, "");
      answer.setEncoding("utf8").on("data", (text: string) => {
        held.set(stream, `${held.get(stream) ?? ""}${text}`);
      });
      answer.on("error", () => held.delete(stream));
      resolve();
    });
    stream.end();
  });
}

function countStreams(): StreamCount {
  const texts = [...held.values()];
  return { alive: texts.length, told: texts.filter((text) => text.includes(STREAM_MESSAGE)).length };
}

await serveParent({}, async (given) => {
  const question = StreamQuestion.parse(given);
  if (question.ask === "open") {
    for (const endpoint of question.endpoints) await openStreams(endpoint, question.at_each);
  }
  return countStreams();
});
