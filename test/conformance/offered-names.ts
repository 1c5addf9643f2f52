/** Names of everything that a server offers, and the answers that say one which nobody asked for. */
import * as z from "zod";
import { send, stateless } from "../proxy/rig.ts";
import type { Forwarded } from "./token-forwarder.ts";

const Named = z.object({
  name: z.string(),
  uri: z.string().optional(),
  uriTemplate: z.string().optional(),
});

const Lists = z.object({
  result: z.object({
    tools: z.array(Named).optional(),
    resources: z.array(Named).optional(),
    resourceTemplates: z.array(Named).optional(),
    prompts: z.array(Named).optional(),
  }),
});

const LISTS = ["tools/list", "resources/list", "resources/templates/list", "prompts/list"];

/** Of tools, resources, templates and prompts. */
export async function listOfferedNames(url: string): Promise<string[]> {
  const names: string[] = [];
  for (const method of LISTS) {
    const { json } = await send(url, stateless({ jsonrpc: "2.0", id: 1, method }));
    for (const list of Object.values(Lists.parse(json).result).filter((one) => one !== undefined)) {
      names.push(
        ...list.flatMap(({ name, uri, uriTemplate }) => [name, uri ?? [], uriTemplate ?? []].flat()),
      );
    }
  }
  return names;
}

/** A name that the request says already is no news. */
export function findLeaks(exchanges: readonly Forwarded[], names: readonly string[]): string[] {
  return exchanges.flatMap(({ asked, answered }) =>
    names
      .filter((name) => answered.includes(name) && !asked.includes(name))
      .map((name) => `${name} in the answer to ${asked}`),
  );
}
