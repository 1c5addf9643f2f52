/** Variables of a server that change while it runs: processes that have old ones are replaced when nothing is asked of them. */
import { afterEach, expect, it } from "vitest";
import { createRedactor } from "../../../../audit/redaction/redaction.ts";
import { indiscreetCommand } from "../../../support/mcp-indiscreet-server.ts";
import { type Rig, call, send, shakeHands, startRig } from "../../rig.ts";

let rig: Rig | undefined;
afterEach(async () => rig?.close());

it("one at work has its time, one that is idle is replaced, and its session with it", async () => {
  let token = "first-of-two-secrets";
  let change = (): void => undefined;
  rig = await startRig({
    servers: {
      one: {
        ...{ transport: "stdio", command: indiscreetCommand, env: { LISTED: "yes" }, start: "lazy" },
        ownEnvironment: {
          read: () => ({ TOKEN: token }),
          onChange: (listener) => {
            change = listener;
          },
          findLack: () => undefined,
        },
        credential: {
          provenance: () => ({ id: "desk", digest: "a".repeat(64) }),
          known: createRedactor([], { formats: false }),
        },
      },
    },
    grants: [{ server: "one", tools: ["tell", "slow"] }],
  });
  const url = `${rig.url}/mcp/one`;
  const session = await shakeHands(url);
  const tokenOf = ({ text }: { readonly text: string }): string | undefined =>
    /(?:first|second)-of-two-secrets/.exec(text)?.[0];
  const slow = send(url, { headers: session, body: call(1, "slow", {}) });
  await rig.recorder.waitFor(() => rig?.recorder.of("call").find(({ tool }) => tool === "slow"));
  token = "second-of-two-secrets";
  change();
  expect(tokenOf(await slow)).toBe("first-of-two-secrets");
  const tell = call(2, "tell", {});
  await expect
    .poll(async () => (await send(url, { headers: session, body: tell })).status, { timeout: 20_000 })
    .toBe(404);
  const next = await shakeHands(url);
  expect(tokenOf(await send(url, { headers: next, body: tell }))).toBe("second-of-two-secrets");
  const calls = rig.recorder.of("call").filter(({ decision }) => decision === "allow");
  expect(calls.every(({ credential }) => credential?.id === "desk")).toBe(true);
  expect(process.env["TOKEN"]).toBeUndefined();
});
