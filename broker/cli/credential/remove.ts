/** `lanyard credential remove`: erases every secret of a credential, once it was said what that breaks. */
import { Command } from "commander";
import { listCredentialUsers, ownerInWords } from "../../credentials/credential-users.ts";
import { changeGrant } from "../../credentials/oauth/former-grants.ts";
import { listSecretVersions, listSecrets } from "../../storage/credentials/credential-secrets.ts";
import { retireOfSessions } from "../../storage/credentials/minted-credentials.ts";
import type { Queries } from "../../storage/schema.ts";
import { listSessions } from "../../storage/sessions/session-list.ts";
import { serversOfRow } from "../../sessions/session-row.ts";
import { nameUser, parseUserName } from "../acting-user.ts";
import { NoAnswer } from "../policy/answer.ts";
import { openStoredKey } from "../keys/sealing-key.ts";
import { showControls } from "../problem-report.ts";
import type { ExitCode } from "../terminal.ts";
import { endFormer } from "./ended-grants.ts";
import { openOwnEgress } from "./own-egress.ts";
import { type CommonOptions, type Opened, withCredentials } from "./opened.ts";
import { findNamed, nameWithOwner } from "./named-credential.ts";
import type { CommandParts } from "./set.ts";

interface Options extends CommonOptions {
  readonly robot?: string;
  readonly by: string;
  readonly yes?: true;
}

/** More are not named one by one. */
const MAX_SESSIONS = 1_000;

export function credentialRemoveCommand({ policies, terminal }: Omit<CommandParts, "readSecret">): Command {
  return new Command("remove")
    .description("erase the secrets of a credential, and say what that breaks")
    .argument("<name>", "as in the list")
    .option("--robot <owner/repo/name>", "whose it is, where each robot has its own")
    .option(
      "--by <name>",
      "who does this, for the record; by default the user of this machine",
      parseUserName,
      nameUser(),
    )
    .option("--yes", "also where something breaks")
    .option("--policies <directory>", "the policy directory", policies)
    .option("--json", "print one JSON object")
    .addHelpText(
      "after",
      "\nWho set and who removed it, and when, stays known. A grant is ended at its issuer (RFC 7009); any other secret still" +
        "\ncounts where it was made: revoke it there." +
        "\n\n  lanyard credential remove linear --robot acme/payments/triager --yes" +
        "\n\nExit code: 0 when it is erased; 1 when nothing is set, or something would break and --yes was not given.",
    )
    .action(async (name: string, options: Options) => {
      await withCredentials(options, terminal, async (opened) => remove(opened, { name, ...options }));
    });
}

async function remove(
  { policies, database, terminal }: Opened,
  { name, robot, by, yes, json }: Options & { readonly name: string },
): Promise<ExitCode> {
  // What is no longer in the documents can be removed, too.
  const of = { name, owner: robot ?? "" };
  const sealingKey = await openStoredKey(database, terminal);
  if (sealingKey === undefined) return 2;
  const isSet = (await listSecretVersions(database, of)).some(({ sealed }) => sealed !== null);
  if (!isSet) await refuseWrongOwner({ policies, database }, { name, robot });
  const { servers, roles, robots: all } = listCredentialUsers(policies, name);
  const robots = robot === undefined ? all : all.filter((each) => each === robot);
  const sessions = isSet ? await listHolders(database, of) : [];
  const breaks = {
    servers: robots.length === 0 ? [] : servers,
    roles: robots.length === 0 ? [] : roles,
    robots,
    sessions,
  };
  const isUsed = robots.length > 0 || sessions.length > 0;
  const tell = (ok: boolean, message: string, more: object = {}): ExitCode => {
    if (json)
      terminal.write(
        `${JSON.stringify({ ok, credential: name, owner: ownerInWords(of.owner), message, breaks, ...more })}\n`,
      );
    else if (ok) terminal.write(`${showControls(message)}\n`);
    else terminal.writeError(`${message}\n`);
    return ok ? 0 : 1;
  };
  if (!isSet) return tell(false, `${nameWithOwner(of)} is not set: nothing was changed.`);
  if (isUsed && !yes) {
    const what = [
      `servers ${servers.join(", ")}`,
      `roles ${roles.join(", ") || "none"}`,
      `robots ${robots.join(", ") || "none"}`,
      `running sessions ${sessions.join(", ") || "none"}`,
    ].join("; ");
    return tell(
      false,
      `Nothing was changed. Without ${nameWithOwner(of)}, calls fail of: ${what}. With --yes it is removed.`,
    );
  }
  const store = { database, sealingKey, now: Date.now };
  const change = await changeGrant(of, store, async (vault) => vault.remove(of, by));
  // Their end needs nothing that is stored elsewhere: brokers see to it within seconds.
  const ending = await retireOfSessions(database, { credential: name, owner: of.owner }, Date.now());
  const grants = await endFormer(change, { ...store, ask: openOwnEgress(policies).askIssuer });
  const left = "Where it was made, it still counts: revoke it there.";
  const sentences: string[] = grants.length === 0 ? [left] : grants.map(({ message }) => message);
  if (ending > 0) {
    sentences.push(
      `Brokers end what was made from it for running sessions (${ending}), where its issuer can: wait for that before you revoke it there.`,
    );
  }
  return tell(true, [`${nameWithOwner(of)} is removed.`, ...sentences].join(" "), { grants, ending });
}

/** Says whose it is, where it was called by another name or owner than it has. Throws `NoAnswer`. */
async function refuseWrongOwner(
  { policies, database }: Pick<Opened, "policies" | "database">,
  given: { readonly name: string; readonly robot: string | undefined },
): Promise<void> {
  const stored = (await listSecrets(database)).filter(
    ({ name, sealed }) => name === given.name && sealed !== null,
  );
  const owners = [...new Set(stored.map(({ owner }) => owner))];
  if (policies.credentials.has(given.name) || owners.length === 0) {
    findNamed(policies, given);
  } else {
    const whose = owners.map((owner) =>
      owner === "" ? "shared: leave --robot out" : `of ${owner}: say --robot ${owner}`,
    );
    throw new NoAnswer(`What is stored of ${given.name} is ${whose.join(", or ")}.`);
  }
}

async function listHolders(
  database: Queries,
  { name, owner }: { readonly name: string; readonly owner: string },
): Promise<string[]> {
  const sessions = await listSessions(database, {
    state: "active",
    robot: owner === "" ? undefined : owner,
    runId: undefined,
    limit: MAX_SESSIONS,
    now: Date.now(),
  });
  return sessions
    .filter((row) => Object.values(serversOfRow(row)).some(({ credential }) => credential === name))
    .map(({ id }) => id);
}
