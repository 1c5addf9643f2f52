import { expect, it } from "vitest";
import { fetchSubjectToken } from "../../action/github-oidc.ts";
import { createHttp } from "../../action/http-request.ts";
import { startLocalServer } from "./local-server.ts";

const http = createHttp({});
const audience = "https://lanyard.acme.dev";

it("asks with the request token for a token whose audience is the broker", async () => {
  const server = await startLocalServer(() => ({ status: 200, body: { count: 1, value: "the.jwt.here" } }));
  const oidc = { url: `${server.url}/idtoken?api-version=2.0`, token: "request-token" };
  expect(await fetchSubjectToken({ http, oidc, audience })).toBe("the.jwt.here");
  const [asked] = server.asked;
  const query = new URL(asked?.path ?? "", server.url).searchParams;
  expect(query.get("api-version")).toBe("2.0");
  expect(query.get("audience")).toBe(audience);
  expect(asked?.headers.authorization).toBe("bearer request-token");
});

it("403 while the job is pending, and errors that pass, are tried again", async () => {
  const answers = [403, 500, 429];
  const server = await startLocalServer((_, count) => {
    const status = answers[count - 1];
    return status === undefined ? { status: 200, body: { value: "t" } } : { status };
  });
  const oidc = { url: server.url, token: "x" };
  expect(await fetchSubjectToken({ http, oidc, audience })).toBe("t");
  expect(server.asked).toHaveLength(4);
});

it("what does not pass is said at once, without the token", async () => {
  const server = await startLocalServer(() => ({ status: 401, body: "bad credentials" }));
  const failed = fetchSubjectToken({ http, oidc: { url: server.url, token: "canary-token" }, audience });
  await expect(failed).rejects.toThrow(/gave no token for this job: it answered with status 401/);
  await expect(failed).rejects.not.toThrow(/canary/);
  expect(server.asked).toHaveLength(1);
});

it("an answer that is no token is not quoted", async () => {
  const server = await startLocalServer(() => ({ status: 200, body: "canary-answer" }));
  const failed = fetchSubjectToken({ http, oidc: { url: server.url, token: "x" }, audience });
  await expect(failed).rejects.toThrow(/holds no token/);
  await expect(failed).rejects.not.toThrow(/canary/);
});

it("patience has an end", async () => {
  const server = await startLocalServer(() => ({ status: 503 }));
  const oidc = { url: server.url, token: "x" };
  await expect(fetchSubjectToken({ http, oidc, audience, patienceMs: 300 })).rejects.toThrow(/status 503/);
});
