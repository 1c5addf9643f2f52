/** As a load balancer: TLS ends here, and the broker behind it hears HTTP. Its authority is trusted until it is closed. */
import { type AddressInfo, connect } from "node:net";
import { createServer, getCACertificates, setDefaultCACertificates } from "node:tls";
import { createAuthority } from "../../../support/certificates.ts";

export interface TlsFront {
  readonly url: string;
  close(): void;
}

export async function startTlsFront(
  findBroker: () => { readonly host: string; readonly port: number },
): Promise<TlsFront> {
  const trusted = getCACertificates("default");
  const authority = createAuthority("Authority of this test");
  setDefaultCACertificates([...trusted, authority.cert]);
  const server = createServer(authority.issue({ names: ["localhost"] }), (socket) => {
    const { host, port } = findBroker();
    const inside = connect(port, host);
    for (const each of [socket, inside]) each.on("error", () => [socket, inside].map((one) => one.destroy()));
    socket.pipe(inside).pipe(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, "localhost", resolve));
  return {
    url: `https://localhost:${(server.address() as AddressInfo).port}`,
    close: () => {
      server.close();
      setDefaultCACertificates(trusted);
    },
  };
}
