/** What the proxy's requests to the relay carry. */
import { expect, test } from "vitest";
import { createProofKey } from "../../../action/wire/proof-key.ts";
import { relayTo } from "../../../action/wire/relay-authority.ts";

const REQUEST = { method: "POST", agent: "reviewer", calls: ["a", "b"] } as const;

async function rig(replaced = true) {
  const holder = { token: "first", asked: 0 };
  const { url, authority } = relayTo("vault", "https://lanyard.example", {
    key: await createProofKey(),
    accessToken: () => holder.token,
    replaceToken: async () => {
      holder.asked += 1;
      holder.token = "second";
      return replaced;
    },
  });
  return { holder, url, authority };
}
const claimsOf = (proof = ""): Record<string, unknown> =>
  JSON.parse(Buffer.from(proof.split(".")[1] ?? "", "base64url").toString("utf8"));

test("the token of that moment, a fresh proof for each request, the agent and its calls", async () => {
  const { url, authority, holder } = await rig();
  const first = await authority.authorize(REQUEST);
  expect(first).toMatchObject({
    authorization: "DPoP first",
    "lanyard-agent": "reviewer",
    "lanyard-call": "a,b",
  });
  expect(claimsOf(first["dpop"])).toMatchObject({ htm: "POST", htu: url });
  holder.token = "renewed";
  const second = await authority.authorize({ ...REQUEST, method: "GET", calls: [] });
  expect(second["authorization"]).toBe("DPoP renewed");
  expect(second).not.toHaveProperty("lanyard-call");
  expect(claimsOf(second["dpop"])["jti"]).not.toBe(claimsOf(first["dpop"])["jti"]);
});

test("a token that was renewed on the way is there already; one that was not is asked for", async () => {
  const { authority, holder } = await rig();
  const sent = await authority.authorize(REQUEST);
  holder.token = "renewed";
  expect(await authority.replace(sent)).toBe(true);
  expect(holder.asked).toBe(0);
  expect(await authority.replace(await authority.authorize(REQUEST))).toBe(true);
  expect(holder.asked).toBe(1);
});

test("where the broker has no other token there is nothing to ask again with", async () => {
  const { authority } = await rig(false);
  expect(await authority.replace(await authority.authorize(REQUEST))).toBe(false);
});
