/**
 * What GitHub does for an app: a real HTTP server that checks the app's statement under its public key, finds
 * installations, narrows tokens as it was asked to and lets them see no more, forgets them, and counts requests.
 */
import { generateKeyPairSync, randomBytes, randomUUID } from "node:crypto";
import { type IncomingMessage, type ServerResponse, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { SignJWT, jwtVerify } from "jose";

interface PeerInstallation {
  readonly id: number;
  account: { readonly id: number; readonly login: string };
  permissions: Record<string, string>;
  repositories: "all" | number[];
  suspended: boolean;
}
interface PeerToken {
  readonly installation: number;
  readonly permissions: Readonly<Record<string, string>>;
  readonly repositories: readonly number[];
  readonly expiresAt: number;
  /** So many answers more come from servers that have not heard of it. */
  unheard: number;
}

export interface GithubAppPeer {
  /** `http://127.0.0.1:PORT/api/v3`. */
  readonly apiUrl: string;
  readonly appId: string;
  readonly slug: string;
  readonly clientId: string;
  /** PEM as GitHub gives it out (PKCS#1). */
  readonly privateKey: string;
  /** By id. */
  readonly repositories: Map<
    number,
    { name: string; readonly owner: { readonly id: number; login: string } }
  >;
  /** `owner/old-name` to the id. */
  readonly renamed: Map<string, number>;
  readonly installations: PeerInstallation[];
  /** Those that live. */
  readonly tokens: Map<string, PeerToken>;
  /** Every token that it gave out, also those that are over. */
  readonly issued: string[];
  readonly asked: { readonly method: string; readonly path: string; readonly userAgent: string }[];
  /** For tokens that are made from now on. */
  unheard: number;
  /** Requests that are left in this hour. */
  remaining: number;
  /** How far its clock is from this machine's. */
  clockOffsetMs: number;
  /** Changes the answer to a request for a token, after the token was made. */
  distort: ((answer: Record<string, any>) => unknown) | undefined;
  /** In place of any answer. */
  fail: ((request: IncomingMessage, response: ServerResponse) => boolean) | undefined;
  close(): Promise<void>;
}

const HOUR_MS = 3_600_000;
const RANKS = ["read", "write", "admin"];
/** Making them takes longer than all that is done with them. */
const appKey = generateKeyPairSync("rsa", { modulusLength: 2048 });
const tokenKey = generateKeyPairSync("rsa", { modulusLength: 2048 });

class Failure extends Error {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  constructor(status: number, message: string, headers: Readonly<Record<string, string>> = {}) {
    super(message);
    this.status = status;
    this.headers = headers;
  }
}

export async function startGithubAppPeer(): Promise<GithubAppPeer> {
  const server = createServer((request, response) => {
    void answer(request, response).catch((error: unknown) => response.destroy(error as Error));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const now = (): number => Date.now() + peer.clockOffsetMs;
  const peer: GithubAppPeer = {
    apiUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/v3`,
    appId: "424242",
    slug: "lanyard-robots",
    clientId: "Iv23liPeerExample000",
    privateKey: appKey.privateKey.export({ type: "pkcs1", format: "pem" }).toString(),
    repositories: new Map(),
    renamed: new Map(),
    installations: [],
    tokens: new Map(),
    issued: [],
    asked: [],
    unheard: 0,
    remaining: 5_000,
    clockOffsetMs: 0,
    distort: undefined,
    fail: undefined,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = "", url = "" } = request;
    const path = url.replace(/^\/api\/v3/, "");
    peer.asked.push({ method, path, userAgent: request.headers["user-agent"] ?? "" });
    const body = Buffer.concat(await Array.fromAsync(request)).toString("utf8");
    if (peer.fail?.(request, response) === true) return;
    const limits = {
      date: new Date(now()).toUTCString(),
      "x-ratelimit-limit": "5000",
      "x-ratelimit-remaining": String(Math.max(0, peer.remaining)),
      "x-ratelimit-reset": String(Math.ceil((now() + HOUR_MS) / 1000)),
    };
    const send = (status: number, value: unknown, headers: Readonly<Record<string, string>> = {}): void => {
      const content = { "content-type": "application/json; charset=utf-8" };
      response.writeHead(status, { ...limits, ...content, ...headers });
      response.end(status === 204 ? undefined : JSON.stringify(value));
    };
    try {
      if (request.headers["user-agent"] === undefined)
        throw new Failure(403, "Request forbidden: no User-Agent");
      if (peer.remaining <= 0) throw new Failure(403, "API rate limit exceeded for installation.");
      peer.remaining -= 1;
      const bearer = /^(?:Bearer|token) (\S+)$/i.exec(request.headers.authorization ?? "")?.[1] ?? "";
      const [status, value] = bearer.startsWith("ghs_")
        ? asInstallation(method, path, bearer)
        : await asApp({ method, path, body }, bearer);
      send(status, value);
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      const { status, message, headers } = error;
      send(
        status,
        { message, documentation_url: "https://docs.github.com/rest", status: String(status) },
        headers,
      );
    }
  }

  async function asApp(
    { method, path, body }: { method: string; path: string; body: string },
    statement: string,
  ): Promise<[number, unknown]> {
    await checkStatement(statement);
    if (method === "GET" && path === "/app") {
      return [
        200,
        { id: Number(peer.appId), client_id: peer.clientId, slug: peer.slug, name: "Lanyard's robots" },
      ];
    }
    const [, name] = /^\/repos\/([^/]+\/[^/]+)\/installation$/.exec(path) ?? [];
    const [, repositoryId] = /^\/repositories\/([0-9]+)\/installation$/.exec(path) ?? [];
    if (method === "GET" && (name !== undefined || repositoryId !== undefined)) {
      const id = name === undefined ? Number(repositoryId) : idOf(decodeURIComponent(name));
      const found = peer.installations.find((each) => reachOf(each).includes(id));
      if (found === undefined) throw new Failure(404, "Not Found");
      return [200, describeInstallation(found)];
    }
    const [, installationId] = /^\/app\/installations\/([0-9]+)\/access_tokens$/.exec(path) ?? [];
    if (method === "POST" && installationId !== undefined) {
      const found = peer.installations.find(({ id }) => id === Number(installationId));
      if (found === undefined) throw new Failure(404, "Not Found");
      return [201, await makeToken(found, body === "" ? {} : JSON.parse(body))];
    }
    throw new Failure(404, "Not Found");
  }

  async function checkStatement(statement: string): Promise<void> {
    if (statement === "") throw new Failure(401, "Requires authentication");
    const verified = await jwtVerify(statement, appKey.publicKey, {
      algorithms: ["RS256"],
      issuer: [peer.appId, peer.clientId],
      currentDate: new Date(now()),
    }).catch(() => {
      throw new Failure(401, "A JSON web token could not be decoded");
    });
    const seconds = now() / 1000;
    const { exp, iat } = verified.payload;
    if (exp === undefined || exp > seconds + 600) {
      throw new Failure(401, "'Expiration time' claim ('exp') is too far in the future");
    }
    if (iat === undefined || iat > seconds) {
      throw new Failure(
        401,
        "'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued",
      );
    }
  }

  function idOf(name: string): number {
    const wanted = name.toLowerCase();
    for (const [id, { name: short, owner }] of peer.repositories) {
      if (`${owner.login}/${short}`.toLowerCase() === wanted) return id;
    }
    const moved = peer.renamed.get(wanted);
    if (moved === undefined) throw new Failure(404, "Not Found");
    throw new Failure(301, "Moved Permanently", {
      location: `${peer.apiUrl}/repositories/${moved}/installation`,
    });
  }

  function reachOf({ account, repositories }: PeerInstallation): number[] {
    const owned = [...peer.repositories].filter(([, { owner }]) => owner.id === account.id).map(([id]) => id);
    return repositories === "all" ? owned : owned.filter((id) => repositories.includes(id));
  }

  const describeInstallation = ({ id, account, permissions, repositories, suspended }: PeerInstallation) => ({
    id,
    app_id: Number(peer.appId),
    client_id: peer.clientId,
    account: { ...account, type: "Organization" },
    target_id: account.id,
    permissions,
    repository_selection: repositories === "all" ? "all" : "selected",
    suspended_at: suspended ? "2026-11-01T00:00:00Z" : null,
  });

  async function makeToken(installation: PeerInstallation, body: Record<string, any>): Promise<unknown> {
    if (installation.suspended) throw new Failure(403, "This installation has been suspended");
    const reach = reachOf(installation);
    const isNarrowed = body["repository_ids"] !== undefined || body["repositories"] !== undefined;
    const named: number[] = (body["repositories"] ?? []).map((short: string) =>
      reach.find((id) => peer.repositories.get(id)?.name.toLowerCase() === short.toLowerCase()),
    );
    const wanted: (number | undefined)[] = isNarrowed ? [...(body["repository_ids"] ?? []), ...named] : reach;
    if (wanted.some((id) => id === undefined || !reach.includes(id))) {
      throw new Failure(
        422,
        "There is at least one repository that does not exist or is not accessible to the parent installation.",
      );
    }
    // No permissions at all mean all that the installation has.
    const isBare = Object.keys(body["permissions"] ?? {}).length === 0;
    const permissions: Record<string, string> = isBare
      ? { ...installation.permissions }
      : { ...body["permissions"] };
    for (const [name, access] of Object.entries(permissions)) {
      if (RANKS.indexOf(access) > RANKS.indexOf(installation.permissions[name] ?? "")) {
        throw new Failure(422, "The permissions requested are not granted to this installation.");
      }
    }
    permissions["metadata"] ??= "read";
    const expiresAt = Math.floor((now() + HOUR_MS) / 1000) * 1000;
    const jwt = await new SignJWT({
      ins: installation.id,
      jti: randomUUID(),
      pad: randomBytes(8).toString("hex"),
    })
      .setProtectedHeader({ alg: "RS256", typ: "JWT" })
      .setIssuedAt()
      .setExpirationTime(expiresAt / 1000)
      .sign(tokenKey.privateKey);
    const token = `ghs_${peer.appId}_${jwt}`;
    const repositories = wanted.filter((id) => id !== undefined);
    peer.issued.push(token);
    peer.tokens.set(token, {
      installation: installation.id,
      permissions,
      repositories,
      expiresAt,
      unheard: peer.unheard,
    });
    const made = {
      token,
      expires_at: new Date(expiresAt).toISOString().replace(".000", ""),
      permissions,
      repository_selection: isNarrowed ? "selected" : describeInstallation(installation).repository_selection,
      ...(isNarrowed && { repositories: repositories.map(describeRepository) }),
    };
    return peer.distort === undefined ? made : peer.distort(structuredClone(made));
  }

  function describeRepository(id: number): unknown {
    const { name = "", owner } = peer.repositories.get(id) ?? {};
    return { id, node_id: "R_kgDO", name, full_name: `${owner?.login}/${name}`, private: true, owner };
  }

  function asInstallation(method: string, path: string, token: string): [number, unknown] {
    const known = peer.tokens.get(token);
    if (known === undefined || known.expiresAt <= now()) throw new Failure(401, "Bad credentials");
    if (known.unheard > 0) {
      known.unheard -= 1;
      throw new Failure(401, "Bad credentials");
    }
    if (method === "DELETE" && path === "/installation/token") {
      peer.tokens.delete(token);
      return [204, undefined];
    }
    const { pathname, searchParams } = new URL(path, peer.apiUrl);
    if (method === "GET" && pathname === "/installation/repositories") {
      const count = Math.min(100, Number(searchParams.get("per_page") ?? 30));
      const first = (Number(searchParams.get("page") ?? 1) - 1) * count;
      const repositories = known.repositories.slice(first, first + count).map(describeRepository);
      return [200, { total_count: known.repositories.length, repositories }];
    }
    const [, name] = /^\/repos\/([^/]+\/[^/]+)$/.exec(path) ?? [];
    const id = method === "GET" && name !== undefined ? idOf(decodeURIComponent(name)) : undefined;
    if (id === undefined || !known.repositories.includes(id)) throw new Failure(404, "Not Found");
    return [200, describeRepository(id)];
  }
  return peer;
}
