/**
 * The events of a log in sentences, for the kinds that a reviewer has to judge.
 * A log can hold anything under any name: an event without the members that its kind has is listed as it is.
 */
import { z } from "zod";
import { ASKING_METHODS } from "../../proxy/messages/asks.ts";

/** What the proxy and the relay call it when they had nothing to present, and when the server did not take it. */
const CREDENTIAL_LOSSES: ReadonlySet<string> = new Set(["not_authorized", "credentials_refused"]);

const Shapes = {
  policy_changed: z
    .object({ from: z.string(), to: z.string(), lost: z.array(z.string()) })
    .transform(
      ({ from, to, lost }) =>
        `The policy documents changed, and the proxy took over what was left. Lost: ${lost.join(", ") || "nothing by name"}. Policy ${shorten(from)} became ${shorten(to)}.`,
    ),
  tool_drifted: z
    .object({ server: z.string(), tool: z.string(), changed: z.array(z.string()).optional() })
    .transform(
      ({ server, tool, changed }) =>
        `${server} sends another definition of ${tool} than the reviewed one${changed === undefined ? "" : ` (${changed.join(", ")})`}: for the agent the tool did not exist. If the change is wanted, the lock has to be updated.`,
    ),
  tool_unreviewed: z
    .object({ server: z.string(), tool: z.string() })
    .transform(
      ({ server, tool }) =>
        `${server} has a tool ${tool} that is granted and not in the lock: for the agent it did not exist.`,
    ),
  instructions_drifted: z
    .object({ server: z.string() })
    .transform(({ server }) => `What ${server} tells agents to do differs from the lock: it was withheld.`),
  text_cleaned: z
    .object({
      server: z.string(),
      ...{ tool: z.string().nullish(), resource: z.string().optional(), prompt: z.string().optional() },
      in: z.string().optional(),
      removed: z.record(z.string(), z.json()),
    })
    .transform(
      ({ server, tool, resource, prompt, in: place, removed }) =>
        `${describeTold(server, tool ?? resource ?? prompt, place)} held ${listCounts(removed)}. The agent got it without them.`,
    ),
  secret_redacted: z
    .object({ server: z.string(), kinds: z.array(z.string()) })
    .transform(
      ({ server, kinds }) =>
        `What ${server} sent beside its results held what is or looks like a secret (${joinWords(kinds)}): it was replaced before anybody got it.`,
    ),
  tool_shadowed: z
    .object({ server: z.string(), tool: z.string(), other_server: z.string(), other_tool: z.string() })
    .transform(
      ({ server, tool, other_server, other_tool }) =>
        `${tool} on ${server} can be taken for ${other_tool} on ${other_server}: an agent that is told to call one may call the other.`,
    ),
  injection_marker: z
    .object({ server: z.string(), markers: z.array(z.string()) })
    .transform(
      ({ server, markers }) =>
        `What ${server} answered holds what is typical of an injection: ${joinWords(markers)}. The agent has read it; nothing was blocked.`,
    ),
  server_exited: z
    .object({ server: z.string(), code: z.string(), detail: z.string(), stderr: z.string().optional() })
    .transform(
      ({ server, code, detail, stderr }) =>
        `${describeEnd(server, code, detail)} What it was asked was answered with an error.${quote(stderr)}`,
    ),
  server_start_failed: z
    .object({ server: z.string(), detail: z.string(), stderr: z.string().optional() })
    .transform(
      ({ server, detail, stderr }) =>
        `The command of ${server} could not be started (${detail}).${quote(stderr)}`,
    ),
  server_down: z
    .object({ server: z.string(), detail: z.string() })
    .transform(
      ({ server, detail }) =>
        `${server} ended too often (${detail}) and was not started again: every call after that was answered with an error.`,
    ),
  upstream_lost: z
    .object({ server: z.string(), code: z.string(), detail: z.string() })
    .transform(({ server, code, detail }) =>
      CREDENTIAL_LOSSES.has(code)
        ? `Calls to ${server} were answered with an error, since it got no credential that it takes: ${detail}`
        : `${server} could not be reached (${joinWords([code])}: ${detail}). What it was asked was answered with an error.`,
    ),
  server_output_dropped: z
    .object({ server: z.string(), count: z.number() })
    .transform(
      ({ server, count }) =>
        `${server} wrote lines that are no messages, ${countTimes(count)} by then: no agent got them.`,
    ),
  server_message_dropped: z
    .object({ server: z.string(), reason: z.string(), count: z.number() })
    .transform(
      ({ server, reason, count }) =>
        `${server} sent a message that goes nowhere (${joinWords([reason])}), ${countTimes(count)} by then: no agent got it.`,
    ),
  server_request_refused: z
    .object({ server: z.string(), method: z.string(), reason: z.string(), count: z.number() })
    .transform(
      ({ server, method, reason, count }) =>
        `${describeAsked(server, method)}, and was refused (${joinWords([reason])}), ${countTimes(count)} by then: the agent heard nothing of it.`,
    ),
  agent_answer_dropped: z
    .object({ server: z.string(), agent: z.string(), count: z.number() })
    .transform(
      ({ server, agent, count }) =>
        `What ${agent} answered to ${server} could not be passed on, ${countTimes(count)} by then: the server did not get it.`,
    ),
  message_refused: z
    .object({ server: z.string(), agent: z.string(), reason: z.string(), count: z.number() })
    .transform(
      ({ server, agent, reason, count }) =>
        `A message of ${agent} to ${server} was refused before anything was decided (${joinWords([reason])}), ${countTimes(count)} by then: the server did not get it.`,
    ),
  request_refused: z
    .object({ reason: z.string(), count: z.number() })
    .transform(
      ({ reason, count }) =>
        `A program on the runner was turned away by the proxy (${joinWords([reason])}), ${countTimes(count)} by then: it reached no server.`,
    ),
  limit_reached: z
    .object({ server: z.string().optional(), limit: z.string(), count: z.number() })
    .transform(
      ({ server = "The proxy", limit, count }) =>
        `${server}: ${joinWords([limit])} was at its limit, ${countTimes(count)} by then. What was over it was refused or stopped.`,
    ),
  internal_error: z
    .object({ error: z.string(), count: z.number() })
    .transform(
      ({ error, count }) =>
        `The proxy met ${error}, ${countTimes(count)} by then, and answered with an error.`,
    ),
  self_test: z
    .object({
      checks: z.array(z.object({ check: z.string(), server: z.string().optional(), verdict: z.string() })),
    })
    .transform(({ checks }) => {
      const failed = checks.filter(({ verdict }) => verdict === "failed");
      const named = failed.map(
        ({ check, server }) => `${joinWords([check])}${server === undefined ? "" : ` (${server})`}`,
      );
      return `Before any agent knew of it the proxy was asked for what it must not give, and failed: ${named.join(", ")}. It did not start.`;
    }),
  start_failed: z
    .object({})
    .transform(
      () => "The session was opened, and no agent could use it: what stood in the way is in the job's log.",
    ),
  session_over: z
    .object({ reason: z.string() })
    .transform(({ reason }) => `Every call after that was refused: ${reason}.`),
  shipping_delayed: z
    .object({ segment: z.number(), reason: z.string() })
    .transform(
      ({ segment, reason }) =>
        `Segment ${segment} of the log could not be stored at once (${reason}): until it is, nobody has witnessed what it holds.`,
    ),
} as const;

const shapes: ReadonlyMap<string, z.ZodType<string>> = new Map(Object.entries(Shapes));

/** Undefined where the event is of no such kind. */
export function describeEvent(event: string, detail: Record<string, unknown>): string | undefined {
  return shapes.get(event)?.safeParse(detail).data;
}

function describeTold(server: string, name: string | undefined, place: string | undefined): string {
  if (name !== undefined) {
    return `The definition of ${name} on ${server}`;
  }
  return place === undefined ? `What ${server} sent beside its results` : `What ${server} says of itself`;
}

function describeAsked(server: string, method: string): string {
  const ask = ASKING_METHODS.get(method);
  return ask === undefined
    ? `${server} asked the agent for something else (${method})`
    : `${server} asked the agent: ${ask}`;
}

function joinWords(words: readonly string[]): string {
  return words.join(", ").replaceAll("_", " ");
}

function countTimes(count: number): string {
  return count === 1 ? "once" : `${count} times`;
}

function listCounts(removed: Record<string, unknown>): string {
  const counts = Object.entries(removed).map(
    ([what, times]) => `${what.replaceAll("_", " ")}: ${JSON.stringify(times)}`,
  );
  return counts.join(", ") || "something";
}

function describeEnd(server: string, code: string, detail: string): string {
  switch (code) {
    case "out_of_memory":
      return `${server} took ${detail} of memory and was stopped.`;
    case "unresponsive":
      return `${server} did not answer any more (${detail}) and was stopped.`;
    default:
      return `${server} ended (${detail}).`;
  }
}

function quote(stderr: string | undefined): string {
  return stderr === undefined ? "" : ` The last it said: ${stderr}`;
}

function shorten(digest: string): string {
  return digest.slice(0, 12);
}
