/** Random strokes of a hostile server, the well-behaved ones more often than not: only they lead deeper. */
import fc from "../support/properties.ts";
import type { Saying, Stroke } from "./answers.ts";
import { RESOURCE_URIS } from "./names.ts";

const notification = (method: string, params?: object): Saying => ({
  raw: JSON.stringify({ jsonrpc: "2.0", method, ...(params && { params }) }),
});

const raws = fc.constantFrom<Saying>(
  notification("notifications/tools/list_changed"),
  notification("notifications/resources/list_changed"),
  notification("notifications/resources/updated", { uri: RESOURCE_URIS[0] }),
  notification("notifications/resources/updated", { uri: RESOURCE_URIS[2] }),
  notification("notifications/progress", { progressToken: 1, progress: 1 }),
  notification("notifications/message", { level: "error", data: "x" }),
  notification("notifications/made_up"),
  { raw: '{"jsonrpc":"2.0","id":1,"result":{},"error":{}}' },
  { raw: '{"jsonrpc":"2.0","id":1,"id":2,"result":{}}' },
  { raw: '[{"jsonrpc":"2.0","id":1,"result":{}}]' },
  { raw: "null" },
  { raw: "{}" },
  { raw: "this is no JSON" },
  { raw: "[".repeat(200) },
  { raw: `"${"x".repeat(5000)}"` },
  { raw: "" },
);
const SERVER_REQUESTS = ["sampling/createMessage", "elicitation/create", "roots/list", "ping", "tools/call"];
const asks = fc
  .tuple(fc.constantFrom(...SERVER_REQUESTS), fc.constantFrom<unknown>(1, 2, "a", "r-1"))
  .map(([method, id]): Saying => ({ raw: JSON.stringify({ jsonrpc: "2.0", id, method, params: {} }) }));

const sayings = fc.oneof(
  { weight: 8, arbitrary: fc.constant<Saying>("answer") },
  { weight: 4, arbitrary: fc.constantFrom<Saying>("other id", "text id", "null id", "error", "mutated") },
  { weight: 3, arbitrary: raws },
  { weight: 2, arbitrary: asks },
);

const odd: fc.Arbitrary<Stroke> = fc.record({
  says: fc.array(sayings, { maxLength: 4 }),
  delayMs: fc.constantFrom(0, 0, 0, 30, 150),
  ending: fc.constantFrom("end", "end", "end", "end", "cut", "hang", "die"),
  form: fc.constantFrom(
    ...(["document", "document", "events", "events", "split events", "crlf events", "odd events"] as const),
    ...(["html", "half document"] as const),
  ),
  session: fc.constantFrom(null, "s1", "s1", "s2", "", "with space", "x".repeat(300)),
  status: fc.constantFrom(200, 200, 200, 200, 200, 202, 204, 301, 401, 404, 500),
});

const WELL: Stroke = {
  ...{ says: ["answer"], delayMs: 0, ending: "end", form: "document", session: "s1", status: 200 },
};

export const strokes: fc.Arbitrary<Stroke> = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom<Stroke>(WELL, { ...WELL, form: "events" }) },
  { weight: 2, arbitrary: odd },
);
