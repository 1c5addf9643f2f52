/**
 * Preloaded (`node --import`) into a sample server: it ends when its parent does, whatever ended that one,
 * and where it would listen on every address it listens on loopback.
 */
import { Server } from "node:net";

const listen = Object.getOwnPropertyDescriptor(Server.prototype, "listen")
  ?.value as typeof Server.prototype.listen;

function listenOnLoopback(this: Server, ...args: unknown[]): Server {
  const [port, host, ...rest] = args;
  // Said here, since server-everything says that it listens even where its port is taken.
  this.once("listening", () => process.stderr.write("the port is open\n"));
  const named = typeof port === "object" || typeof host === "string";
  return Reflect.apply(listen, this, named ? args : [port, "127.0.0.1", host, ...rest]) as Server;
}

Object.defineProperty(Server.prototype, "listen", {
  value: listenOnLoopback,
  writable: true,
  configurable: true,
});

process.stdin.once("end", () => process.exit()).resume();
