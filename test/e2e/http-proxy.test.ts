/** A whole run on a runner that reaches nothing but this machine without its company's HTTP proxy. */
import { once } from "node:events";
import { readdir, writeFile } from "node:fs/promises";
import { type AddressInfo, connect } from "node:net";
import { join } from "node:path";
import { createServer, type Server } from "node:tls";
import { afterAll, beforeAll, expect, it } from "vitest";
import { connectAgent } from "../support/agents.ts";
import { createAuthority } from "../support/certificates.ts";
import { type HttpProxy, startHttpProxy } from "../support/http-proxy.ts";
import { type ReferenceServer, startReferenceServer } from "../support/mcp-reference-server.ts";
import { startWorld, type World } from "../support/world.ts";

let reference: ReferenceServer;
let world: World;
let proxy: HttpProxy;
let fronts: Server[];
let environment: Record<string, string>;

beforeAll(async () => {
  reference = await startReferenceServer();
  world = await startWorld({
    publicUrl: "https://lanyard.example",
    servers: `
  relayed: { url: "${reference.url}", credential: nothing }
  remote: { url: "https://mcp.example/mcp" }
credentials:
  nothing: { kind: none }
`,
    roles: `  agent: { grants: [{ server: relayed, tools: [echo] }, { server: remote, tools: [echo] }] }\n`,
  });
  const authority = createAuthority("Authority of this test");
  const certificate = authority.issue({ names: ["lanyard.example", "mcp.example"] });
  fronts = [world.broker.address.port, Number(new URL(reference.url).port)].map((port) =>
    createServer(certificate, (socket) => {
      const onward = connect(port, "127.0.0.1");
      socket.on("error", () => onward.destroy()).pipe(onward);
      onward.on("error", () => socket.destroy()).pipe(socket);
    }).listen(0, "127.0.0.1"),
  );
  await Promise.all(fronts.map(async (front) => once(front, "listening")));
  const [broker = 0, remote = 0] = fronts.map((front) => (front.address() as AddressInfo).port);
  proxy = await startHttpProxy({ "lanyard.example:443": broker, "mcp.example:443": remote });
  const certificates = join(world.directory, "authority.pem");
  await writeFile(certificates, authority.cert);
  environment = { https_proxy: proxy.url, NODE_EXTRA_CA_CERTS: certificates };
});
afterAll(async () => {
  proxy.close();
  fronts.forEach((front) => front.close());
  await world.close();
  await reference.close();
});

it("exchanges its token, calls through the relay and a remote server, stores its log and seals it", async () => {
  const answers: string[] = [];
  const result = await world.play(
    [
      world.lanyard,
      {
        id: "agent",
        call: async ({ outputs }) => {
          for (const server of ["relayed", "remote"]) {
            const agent = await connectAgent(outputs("lanyard")["mcp-config"] ?? "", server, "stateless");
            answers.push(await agent.call("echo", { text: server }));
            await agent.close();
          }
        },
      },
    ],
    { environment },
  );
  expect(answers).toEqual(["relayed", "remote"]);
  expect(result.conclusion, result.steps.map(({ output }) => output).join("\n")).toBe("success");
  expect(new Set(proxy.asked)).toEqual(new Set(["CONNECT lanyard.example:443", "CONNECT mcp.example:443"]));
  const objects = (await readdir(join(world.directory, "audit"), { recursive: true })).join("\n");
  expect(objects).toMatch(/runner\/000001\.jsonl\.zst/);
  expect(objects).toMatch(/relay\/manifest\.json/);
});
