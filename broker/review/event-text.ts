/**
 * The events of a log in sentences, for the kinds that a reviewer has to judge.
 * A log can hold anything under any name: an event without the members that its kind has is listed as it is.
 */
import { z } from "zod";

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
      removed: z.record(z.string(), z.json()),
    })
    .transform(
      ({ server, tool, resource, prompt, removed }) =>
        `${describeTold(server, tool ?? resource ?? prompt)} held ${listCounts(removed)}. The agent got it without them.`,
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
        `What ${server} answered holds what is typical of an injection: ${markers.join(", ").replaceAll("_", " ")}. The agent has read it; nothing was blocked.`,
    ),
} as const;

const shapes: ReadonlyMap<string, z.ZodType<string>> = new Map(Object.entries(Shapes));

/** Undefined where the event is of no such kind. */
export function describeEvent(event: string, detail: Record<string, unknown>): string | undefined {
  return shapes.get(event)?.safeParse(detail).data;
}

function describeTold(server: string, name: string | undefined): string {
  return name === undefined ? `What ${server} says of itself` : `The definition of ${name} on ${server}`;
}

function listCounts(removed: Record<string, unknown>): string {
  const counts = Object.entries(removed).map(
    ([what, times]) => `${what.replaceAll("_", " ")}: ${JSON.stringify(times)}`,
  );
  return counts.join(", ") || "something";
}

function shorten(digest: string): string {
  return digest.slice(0, 12);
}
