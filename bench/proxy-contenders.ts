/**
 * Whatever stands between an agent and an MCP server over HTTP or stdio: how each is started, and how many of a case's
 * calls it gets, so that a round of a slow one takes no longer than one of a fast one.
 */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { BenchFailed } from "./bench.ts";

export type Transport = "HTTP" | "stdio";

export interface Contender {
  readonly name: string;
  readonly transports: readonly Transport[];
  /** A file of `programs/`; undefined: nothing stands in between. */
  readonly program: string | undefined;
  /** Started as the Action is: in few files, which Node need not look for nor strip of types. */
  readonly bundled?: true;
  readonly share: number;
  /** Of npm, at this version; the rest of the command, as `npm-peer.ts` takes it. */
  readonly peer?: { readonly name: string; readonly version: string; readonly args: readonly string[] };
}

export const DIRECT = "direct";
export const PIPE = "byte pipe";
export const BRIDGE = "raw bridge";
export const LANYARD = "lanyard";
export const GATEWAY = "SDK gateway";
export const MCP_PROXY = "mcp-proxy";
export const SUPERGATEWAY = "supergateway";

/** What costs least in its place: the base of all ratios. */
export const BASES: Readonly<Record<Transport, string>> = { HTTP: PIPE, stdio: BRIDGE };

export const contenders: readonly Contender[] = [
  { name: DIRECT, transports: ["HTTP"], program: undefined, share: 1 },
  { name: PIPE, transports: ["HTTP"], program: "byte-pipe", bundled: true, share: 1 },
  { name: BRIDGE, transports: ["stdio"], program: "raw-bridge", bundled: true, share: 1 },
  { name: LANYARD, transports: ["HTTP", "stdio"], program: "lanyard-proxy", bundled: true, share: 1 },
  { name: GATEWAY, transports: ["HTTP", "stdio"], program: "sdk-gateway", share: 1 / 8 },
  {
    ...{ name: MCP_PROXY, transports: ["stdio"], program: "npm-peer", share: 1 / 8 },
    peer: {
      ...{ name: "mcp-proxy", version: "6.7.19" },
      args: ["--host", "127.0.0.1", "--port", "{port}", "--server", "stream", "--", "{node}", "{program}"],
    },
  },
  {
    ...{ name: SUPERGATEWAY, transports: ["stdio"], program: "npm-peer", share: 1 / 8 },
    peer: {
      ...{ name: "supergateway", version: "4.0.0" },
      args: [
        ...["--stdio", "{command}", "--outputTransport", "streamableHttp", "--stateful"],
        ...["--port", "{port}", "--logLevel", "none"],
      ],
    },
  },
];

const run = promisify(execFile);

/** Where npx keeps the command's file, once it is there. */
export async function fetchPeer({ name, version }: NonNullable<Contender["peer"]>): Promise<string> {
  const find = `readlink -f "$(command -v ${name})"`;
  try {
    const { stdout } = await run("npm", ["exec", "--yes", `--package=${name}@${version}`, "-c", find]);
    return stdout.trim();
  } catch (cause) {
    throw new BenchFailed(`${name}@${version} cannot be fetched with npx`, { cause });
  }
}
