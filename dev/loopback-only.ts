/**
 * Preloaded (`node --import`) into a sample server that would listen on every address:
 * a listener that names a port and no host gets the loopback address.
 */
import { Server } from "node:net";

const listen = Object.getOwnPropertyDescriptor(Server.prototype, "listen")
  ?.value as typeof Server.prototype.listen;

function listenOnLoopback(this: Server, ...args: unknown[]): Server {
  const [port, host, ...rest] = args;
  const named = typeof port === "object" || typeof host === "string";
  return Reflect.apply(listen, this, named ? args : [port, "127.0.0.1", host, ...rest]) as Server;
}

Object.defineProperty(Server.prototype, "listen", {
  value: listenOnLoopback,
  writable: true,
  configurable: true,
});
