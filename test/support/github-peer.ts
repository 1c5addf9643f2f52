/**
 * The part of GitHub's REST API and of its issuer's discovery that provisioning asks: a real HTTP server with the
 * statuses, headers and documents that GitHub sends, as an Enterprise Server has them under one host.
 */
import { type IncomingHttpHeaders, type ServerResponse, createServer } from "node:http";
import type { AddressInfo } from "node:net";

interface PeerRepository {
  readonly id: number;
  readonly ownerId: number;
  /** `GET …/actions/oidc/customization/sub`; absent: the token may not read it. */
  readonly subject?: { readonly use_default: boolean; readonly include_claim_keys?: string[] };
}

export interface GithubPeer {
  /** `http://127.0.0.1:PORT/api/v3`. */
  readonly apiUrl: string;
  readonly issuer: string;
  /** The only one that is accepted. */
  readonly token: string;
  /** By OWNER/REPO, as GitHub writes it; found in any case. */
  readonly repositories: Map<string, PeerRepository>;
  /** Old name to the id of what it is called now. */
  readonly renamed: Map<string, number>;
  /** In place of the answer to a repository. */
  answer: ((response: ServerResponse) => void) | undefined;
  /** In place of the issuer's own name in its discovery document; null: there is none. */
  discovered: string | null | undefined;
  readonly asked: { readonly path: string; readonly headers: IncomingHttpHeaders }[];
  close(): Promise<void>;
}

export async function startGithubPeer(): Promise<GithubPeer> {
  const server = createServer((request, response) => {
    const path = request.url ?? "";
    peer.asked.push({ path, headers: request.headers });
    const send = (status: number, body: unknown, headers: Record<string, string> = {}): void => {
      response.writeHead(status, { "content-type": "application/json; charset=utf-8", ...headers });
      response.end(JSON.stringify(body));
    };
    const fail = (status: number, message: string): void =>
      send(status, { message, documentation_url: "https://docs.github.com/rest", status: String(status) });

    if (path === "/_services/token/.well-known/openid-configuration") {
      if (peer.discovered === null) return fail(404, "Not Found");
      return send(200, {
        issuer: peer.discovered ?? peer.issuer,
        jwks_uri: `${peer.issuer}/.well-known/jwks`,
      });
    }
    const [, name = "", rest = ""] = /^\/api\/v3\/repos\/([^/]+\/[^/]+)(\/.*)?$/.exec(path) ?? [];
    if (request.headers.authorization !== `Bearer ${peer.token}`) return fail(401, "Bad credentials");
    if (peer.answer !== undefined && rest === "") return peer.answer(response);
    const moved = peer.renamed.get(name);
    if (moved !== undefined) {
      const location = `${peer.apiUrl}/repositories/${moved}`;
      return send(301, { message: "Moved Permanently", url: location }, { location });
    }
    const [fullName, repository] =
      [...peer.repositories].find(([each]) => each.toLowerCase() === name.toLowerCase()) ?? [];
    if (fullName === undefined || repository === undefined) return fail(404, "Not Found");
    const [owner = "", short = ""] = fullName.split("/");
    if (rest === "/actions/oidc/customization/sub") {
      return repository.subject === undefined
        ? fail(403, "Resource not accessible by personal access token")
        : send(200, repository.subject);
    }
    return send(200, {
      id: repository.id,
      node_id: "R_kgDO",
      name: short,
      full_name: fullName,
      private: true,
      owner: { login: owner, id: repository.ownerId, type: "Organization" },
      default_branch: "main",
    });
  });
  const listening = Promise.withResolvers<void>();
  server.listen(0, "127.0.0.1", listening.resolve);
  await listening.promise;
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const peer: GithubPeer = {
    apiUrl: `${origin}/api/v3`,
    issuer: `${origin}/_services/token`,
    token: "github_pat_canary-0123456789",
    repositories: new Map(),
    renamed: new Map(),
    answer: undefined,
    discovered: undefined,
    asked: [],
    close: async () => {
      const closed = Promise.withResolvers<void>();
      server.close(() => closed.resolve());
      server.closeAllConnections();
      await closed.promise;
    },
  };
  return peer;
}
