/** A step of the same job asks for an OIDC token of its own and tries to get a session with it. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ID_TOKEN_TYPE, TOKEN_EXCHANGE_GRANT } from "../../broker/contract.ts";
import { RunView } from "../../broker/review/view.ts";
import { findStep } from "../../dev/runner.ts";
import { connectAgent } from "../support/agents.ts";
import { referenceCommand } from "../support/mcp-reference-server.ts";
import { Holder } from "../support/session-holder.ts";
import { startWorld, type World } from "../support/world.ts";

let world: World;
beforeAll(async () => {
  world = await startWorld({
    servers: `  reference: { command: ${JSON.stringify(referenceCommand())} }\n`,
    roles: `  agent: { grants: [{ server: reference, tools: [echo] }] }\n`,
  });
});
afterAll(() => world.close());

/** What a script in a step of the job can do with what is in its environment. */
async function exchangeFromStep(environment: Readonly<Record<string, string>>): Promise<Response> {
  const request = `${environment["ACTIONS_ID_TOKEN_REQUEST_URL"]}&audience=${encodeURIComponent(world.broker.url)}`;
  const granted = await fetch(request, {
    headers: { authorization: `bearer ${environment["ACTIONS_ID_TOKEN_REQUEST_TOKEN"]}` },
  });
  const { value } = (await granted.json()) as { value: string };
  const thief = await Holder.create();
  const url = `${world.broker.url}/token`;
  return fetch(url, {
    method: "POST",
    headers: { dpop: await thief.prove({ method: "POST", url, now: Date.now() }) },
    body: new URLSearchParams({
      grant_type: TOKEN_EXCHANGE_GRANT,
      subject_token: value,
      subject_token_type: ID_TOKEN_TYPE,
      resource: world.broker.url,
      scope: "robot:acme/payments/triager",
    }),
  });
}

describe("a second exchange by the same job without the proxy's key", () => {
  it("is refused, changes nothing for the agent, and stands on the run's page", async () => {
    let refusal: { status: number; body: { error?: string } } | undefined;
    const result = await world.play([
      world.lanyard,
      {
        id: "thief",
        call: async ({ environment, outputs }) => {
          const answer = await exchangeFromStep(environment);
          refusal = { status: answer.status, body: (await answer.json()) as { error?: string } };
          const agent = await connectAgent(outputs("lanyard")["mcp-config"] ?? "", "reference", "stateless");
          expect(await agent.call("echo", { text: "still here" })).toBe("still here");
          await agent.close();
        },
      },
    ]);
    expect(result.conclusion, result.steps.map(({ output }) => output).join("\n")).toBe("success");
    expect(refusal).toMatchObject({ status: 400, body: { error: "invalid_grant" } });
    expect(refusal?.body).not.toHaveProperty("access_token");

    const path = new URL(findStep(result, "lanyard").outputs["review-url"] ?? "").pathname;
    const view = RunView.parse(JSON.parse((await world.visit(`/api${path}`)).text));
    expect(view.findings).toMatchObject([{ kind: "takeover_attempt", source: "broker" }]);
    expect((await world.visit(path)).text).toMatch(/attempted takeover/i);
  });

  it("before Lanyard's step takes the session, and then Lanyard's own step says so", async () => {
    const result = await world.play([
      {
        id: "early",
        call: async ({ environment }) => {
          expect((await exchangeFromStep(environment)).status).toBe(200);
        },
      },
      world.lanyard,
    ]);
    expect(result.conclusion).toBe("failure");
    expect(findStep(result, "lanyard").output).toMatch(/has its session already/);
  });
});
