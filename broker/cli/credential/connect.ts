/**
 * `lanyard credential connect`: a person grants the broker access in the browser, wherever that browser is. Only this
 * command can finish what it began, and it says as whom it connected.
 */
import { setTimeout as wait } from "node:timers/promises";
import { Command } from "commander";
import { readPublicUrl } from "../../config.ts";
import type { AskIssuer } from "../../credentials/kind.ts";
import {
  type Authorization,
  finishAuthorization,
  prepareAuthorization,
} from "../../credentials/oauth/authorization.ts";
import {
  CONNECTION_MS,
  type ConnectionAnswer,
  type ConnectionStore,
  abandonConnection,
  beginConnection,
  takeAnswer,
} from "../../credentials/oauth/connections.ts";
import { proofOf } from "../../credentials/oauth/client-proof.ts";
import { describeFailure } from "../../credentials/oauth/failure.ts";
import { describeIdentity } from "../../credentials/oauth/identity.ts";
import { changeGrant } from "../../credentials/oauth/former-grants.ts";
import { writeGrant } from "../../credentials/oauth/stored-grant.ts";
import { listSecretVersions } from "../../storage/credentials/credential-secrets.ts";
import { ownerInWords } from "../../credentials/credential-users.ts";
import { nameUser, parseUserName } from "../acting-user.ts";
import { NoAnswer } from "../policy/answer.ts";
import { showControls } from "../problem-report.ts";
import { openStoredKey } from "../keys/sealing-key.ts";
import type { ExitCode, Terminal } from "../terminal.ts";
import type { OpenBrowser } from "./browser.ts";
import { endFormer } from "./ended-grants.ts";
import { findNamed, nameWithOwner } from "./named-credential.ts";
import { type CommonOptions, type Opened, withCredentials } from "./opened.ts";
import { openOwnEgress } from "./own-egress.ts";
import { proveGrant } from "./proven-grant.ts";
import type { ReadSecret } from "./secret-input.ts";
import { chooseServer } from "./server-choice.ts";

const LOOK_EVERY_MS = 500;
const TELL_EVERY_MS = 60_000;

export interface ConnectParts {
  readonly policies: string;
  readonly terminal: Terminal;
  readonly readSecret: ReadSecret;
  readonly openBrowser: OpenBrowser;
}

interface Options extends CommonOptions {
  readonly robot?: string;
  readonly server?: string;
  readonly clientSecret?: true;
  readonly browser: boolean;
  readonly by: string;
}

export function credentialConnectCommand({ policies, terminal, ...parts }: ConnectParts): Command {
  return new Command("connect")
    .description("grant the broker access to a server, in the browser")
    .argument("<name>", "as in servers.yaml")
    .option("--robot <owner/repo/name>", "whose it is, where each robot has its own")
    .option("--server <name>", "the server that it is for, where several have it")
    .option("--client-secret", "ask for the secret of the client that the documents name")
    .option(
      "--no-browser",
      "only print the address: an address that is opened shows in the list of processes",
    )
    .option(
      "--by <name>",
      "who does this, for the record; by default the user of this machine",
      parseUserName,
      nameUser(),
    )
    .option("--policies <directory>", "the policy directory", policies)
    .option("--json", "print one JSON object; the address goes to standard error")
    .addHelpText(
      "after",
      "\nOpen the address in any browser, on any machine, and log in as whom the robots are to be seen. The broker must" +
        "\nrun: the browser comes back to it. The command waits for ten minutes; Ctrl-C stores nothing." +
        "\n\n  lanyard credential connect notion" +
        "\n  lanyard credential connect notion --robot acme/payments/triager --no-browser" +
        "\n\nExit code: 0 when it is connected; 1 when it is not; 2 when it was called wrongly.",
    )
    .action(async (name: string, options: Options) => {
      const stop = new AbortController();
      const interrupt = (): void => stop.abort();
      process.once("SIGINT", interrupt);
      try {
        await withCredentials(options, terminal, async (opened) =>
          connect(opened, { name, ...options }, { ...parts, signal: stop.signal }),
        );
      } finally {
        process.off("SIGINT", interrupt);
      }
    });
}

type Wanted = Options & { readonly name: string };
interface Doing extends Pick<ConnectParts, "readSecret" | "openBrowser"> {
  readonly signal: AbortSignal;
}

async function connect(
  { policies, database, terminal }: Opened,
  options: Wanted,
  { readSecret, openBrowser, signal }: Doing,
): Promise<ExitCode> {
  const { name, json, by } = options;
  const named = findNamed(
    policies,
    options.robot === undefined ? { name, robot: undefined } : { name, robot: options.robot },
  );
  const { entry, owner } = named;
  if (entry.kind !== "oauth") {
    throw new NoAnswer(
      `${name} is of the kind ${entry.kind}: only oauth is connected. Run \`lanyard credential set ${name}\`.`,
    );
  }
  const { url: serverUrl } = chooseServer(policies, { credential: name, server: options.server });
  if (serverUrl === undefined) throw new NoAnswer(`${name} is for a server with a url.`);
  const read = readPublicUrl();
  if (!read.ok) {
    throw new NoAnswer(read.problems.map(({ variable, message }) => `${variable}: ${message}`).join("\n"));
  }
  const sealingKey = await openStoredKey(database, terminal);
  if (sealingKey === undefined) return 2;
  const { askIssuer: ask } = openOwnEgress(policies);
  const store = { database, sealingKey, now: Date.now };
  const tell = (ok: boolean, message: string, more: object = {}): ExitCode => {
    if (json)
      terminal.write(
        `${JSON.stringify({ ok, credential: name, owner: ownerInWords(owner), message, ...more })}\n`,
      );
    else if (ok) terminal.write(`${showLines(message)}\n`);
    else terminal.writeError(`${showLines(message)}\n`);
    return ok ? 0 : 1;
  };

  let asked = serverUrl;
  try {
    const secret = options.clientSecret
      ? await readSecret(`${nameWithOwner(named)}: the client's secret`)
      : undefined;
    const clientSecret = secret && Buffer.from(secret).toString("utf8");
    if (clientSecret !== undefined && entry.client_id === undefined) {
      throw new NoAnswer(`${name} names no client_id in servers.yaml that --client-secret could belong to.`);
    }
    const terms = {
      entry,
      serverUrl,
      publicUrl: read.publicUrl,
      clientSecret,
      ask,
    };
    const authorization = await prepareAuthorization(terms);
    asked = authorization.server.issuer;
    const answer = await waitForAnswer({ store, authorization, named, terminal, signal }, (address) => {
      if (options.browser) openBrowser(address);
    });
    if (typeof answer === "string") return tell(false, `${answer} Nothing was stored.`);
    const granted = await finishAuthorization(authorization, answer, { ask, now: Date.now });
    const who = await describeGrant(authorization, granted.access_token, ask);
    const told = { ...granted, ...subjectOf(who) };
    const replaces = (await listSecretVersions(database, named)).some(({ sealed }) => sealed !== null);
    // What works is not given up for what may not.
    const proven = replaces
      ? await proveGrant(told, { name, entry, serverUrl, ask })
      : ({ ok: true, grant: told } as const);
    if (!proven.ok) return tell(false, `${proven.sentence} Nothing was stored.`);
    const { grant } = proven;
    const change = await changeGrant(named, store, async (vault) =>
      vault.set({ name, owner, kind: "oauth", secret: writeGrant(grant), by }),
    );
    const { version } = change.result;
    const grants = await endFormer(change, { ...store, ask });
    const sentences = [
      `Connected ${nameWithOwner(named)} at ${grant.issuer} for ${grant.resource}, version ${version}.`,
      who.length === 0
        ? "The authorization server does not say as whom."
        : `Connected as ${who.join(", ")}. If that is not whom you meant, connect again.`,
      ...(grant.refresh_token === undefined
        ? ["It gave no refresh token: the grant ends with its access token, and somebody must connect again."]
        : []),
      ...grants.map(({ message }) => message),
    ];
    const { issuer, resource } = grant;
    return tell(true, sentences.join("\n"), { issuer, resource, version, who, grants });
  } catch (error) {
    if (error instanceof NoAnswer) throw error;
    return tell(false, `${describeFailure(error, asked).sentence} Nothing was stored.`);
  }
}

interface Waiting {
  readonly store: ConnectionStore;
  readonly authorization: Authorization;
  readonly named: { readonly name: string; readonly owner: string };
  readonly terminal: Terminal;
  readonly signal: AbortSignal;
}

/** The answer, or why there is none. */
async function waitForAnswer(
  { store, authorization, named, terminal, signal }: Waiting,
  open: (address: string) => void,
): Promise<ConnectionAnswer | string> {
  const { address, state, chosen } = authorization;
  const begun = await beginConnection(store, {
    ...{ state, redirectAddress: chosen.client.redirect_uri },
    ...{ credential: named.name, owner: named.owner },
  });
  try {
    const until = store.now() + CONNECTION_MS;
    const deadline = new Date(until).toISOString().slice(11, 16);
    terminal.writeError(
      `Open this address in a browser, and log in as whom the robots are to be seen:\n\n  ${address}\n\n`,
    );
    terminal.writeError(`Waiting for the answer until ${deadline} UTC; Ctrl-C stops.\n`);
    open(address);
    let toldAt = store.now();
    while (store.now() < until) {
      const answer = await takeAnswer(store, begun);
      if (answer !== undefined) return answer;
      await wait(LOOK_EVERY_MS, undefined, { signal }).catch(() => {});
      if (signal.aborted) return "Stopped.";
      if (store.now() - toldAt >= TELL_EVERY_MS) {
        toldAt = store.now();
        terminal.writeError(`Still waiting: ${Math.ceil((until - toldAt) / 60_000)} minutes are left.\n`);
      }
    }
    return "Nobody came back within ten minutes.";
  } finally {
    await abandonConnection(store, begun);
  }
}

/** A line break of ours is one; what a stranger wrote moves no cursor. */
function showLines(message: string): string {
  return message.split("\n").map(showControls).join("\n");
}

/** What the authorization server tells about a token is worth showing, and nothing fails without it. */
async function describeGrant(
  { server, chosen }: Authorization,
  token: string,
  ask: AskIssuer,
): Promise<readonly string[]> {
  const terms = { server, client: chosen.client, proof: proofOf(chosen), ask };
  return describeIdentity(token, terms).catch(() => []);
}

/** Grants of different people are never one. */
function subjectOf(who: readonly string[]): { readonly subject?: string } {
  const subject = who.find((each) => each.startsWith("sub: "));
  return subject === undefined ? {} : { subject };
}
