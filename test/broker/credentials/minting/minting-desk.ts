/** What tests of minting stand on: two replicas without HTTP beside a broker, a session of a job, and a grant. */
import type { DatabaseConfig } from "../../../../broker/config-values.ts";
import type { Presented } from "../../../../broker/credentials/presenting.ts";
import { type Vault, createVault } from "../../../../broker/credentials/vault/vault.ts";
import type { OpenedServices } from "../../../../broker/start.ts";
import type { SessionRow } from "../../../../broker/storage/schema.ts";
import { type TestBroker, startTestBroker } from "../../../support/broker.ts";
import { Holder, exchange } from "../../../support/session-holder.ts";
import { type TokenPeer, startTokenPeer } from "../../../support/token-peer.ts";
import { openReplica } from "../../sessions/second-replica.ts";

export interface MintingDesk {
  readonly world: TestBroker;
  readonly peer: TokenPeer;
  readonly holder: Holder;
  readonly session: SessionRow;
  readonly replicas: readonly [OpenedServices, OpenedServices];
  readonly vault: Vault;
  /** Throws where it is refused. */
  present(server: string, replica?: 0 | 1): Promise<Presented>;
  close(): Promise<void>;
}

const SERVER = "http://127.0.0.1:9";

function filesOf(peer: string): Record<string, string> {
  return {
    "servers.yaml": `
servers:
  everything: { url: "${SERVER}/mcp" }
  files: { command: [node, server.js], env: { TOKEN: "{credential}" }, credential: direct, start: lazy }
  granted: { url: "${SERVER}/granted", credential: granted }
  desk: { url: "${SERVER}/desk", credential: desk }
  direct: { url: "${SERVER}/direct", credential: direct }
  typed: { url: "${SERVER}/typed", credential: typed }
  open: { url: "${SERVER}/open", credential: open }
credentials:
  granted: { kind: oauth, issuer: "${peer}" }
  desk: { kind: token-exchange, issuer: "${peer}", client_id: lanyard }
  direct: { kind: token-exchange, issuer: "${peer}", client_id: lanyard, delivery: runner }
  typed: { kind: bearer }
  open: { kind: none }
`,
    "roles.yaml": `
roles:
  reader:
    grants:
${["everything", "files", "granted", "desk", "direct", "typed", "open"].map((server) => `      - { server: ${server}, tools: ["*"] }`).join("\n")}
  writer: { grants: [{ server: files, tools: ["write_*"] }] }
`,
  };
}

export async function openMintingDesk(database: DatabaseConfig): Promise<MintingDesk> {
  const peer = await startTokenPeer();
  const world = await startTestBroker({ files: filesOf(peer.url), config: () => ({ database }) });
  const holder = await Holder.create();
  await exchange(world, holder);
  const replicas = [await openReplica(world), await openReplica(world)] as const;
  const { services } = replicas[0];
  const session = await services.database.selectFrom("sessions").selectAll().executeTakeFirstOrThrow();
  const vault = createVault(services);
  const grant = {
    ...{ issuer: peer.url, resource: `${SERVER}/granted`, proof: "none" },
    client: { client_id: "lanyard", origin: "configured", redirect_uri: `${world.url}/redirect` },
    ...{ refresh_token: peer.refreshToken, access_token: "first", expires_at: 1 },
  };
  await vault.set({
    ...{ name: "granted", owner: "", kind: "oauth", by: "ann" },
    secret: Buffer.from(JSON.stringify(grant)),
  });
  for (const name of ["desk", "direct"]) {
    const secret = Buffer.from("client-secret-of-the-broker");
    await vault.set({ name, owner: "", kind: "token-exchange", by: "ann", secret });
  }
  return {
    ...{ world, peer, holder, session, replicas, vault },
    present: async (server, replica = 0) => {
      const { credentials } = replicas[replica].services;
      const presentation = await credentials.present({ server, session });
      if (!presentation.ok) throw new Error(`${presentation.code}: ${presentation.sentence}`);
      return presentation.presented;
    },
    close: async () => {
      for (const replica of replicas) await replica.close();
      await world.close();
      await peer.close();
    },
  };
}
