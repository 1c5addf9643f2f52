/** The same bare MCP server behind stdio: one message a line. It ends with its input. */
import { createInterface } from "node:readline";
import { answerMessage } from "./bare-answers.ts";

for await (const line of createInterface({ input: process.stdin })) {
  const answered = answerMessage(JSON.parse(line));
  if (answered !== undefined) process.stdout.write(`${answered.text}\n`);
}
