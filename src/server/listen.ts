/** Opens a listener on the wanted port, or on a free one near it. */
import type { Server } from 'node:net';

/** Which port to take: exactly this one, the first free one from here, or whichever the system has. */
export type PortChoice = { exactly: number } | { from: number } | 'any';

const triedPorts = 50;

/** Resolves to the port; throws a sentence if it is taken or not allowed. */
export async function listen(server: Server, choice: PortChoice, hosts: string[]): Promise<number> {
  const [first, last] =
    choice === 'any'
      ? [0, 0]
      : 'exactly' in choice
        ? [choice.exactly, choice.exactly]
        : [choice.from, Math.min(choice.from + triedPorts - 1, 65535)];
  for (let port = first; port <= last; port++) {
    const opened = await tryPort(server, port, hosts);
    if (opened !== null) return opened;
  }
  throw new Error(
    first === last
      ? `Port ${first} is in use by another program; choose another one.`
      : `Every port from ${first} to ${last} is in use; choose one with --port or --https-port.`,
  );
}

/** Null if the port is taken. */
async function tryPort(server: Server, port: number, hosts: string[]): Promise<number | null> {
  for (const host of hosts) {
    try {
      return await open(server, port, host);
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : undefined;
      switch (code) {
        case 'EADDRINUSE':
          return null;
        case 'EACCES':
          throw new Error(`Port ${port} is not allowed for this user; choose one above 1023.`, {
            cause: error,
          });
        case 'EAFNOSUPPORT':
        case 'EADDRNOTAVAIL':
          // No IPv6 on this machine: the next host is its IPv4 form.
          continue;
        default:
          throw error;
      }
    }
  }
  throw new Error(`None of ${hosts.join(', ')} is an address of this machine.`);
}

function open(server: Server, port: number, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      const address = server.address();
      resolve(typeof address === 'object' && address ? address.port : port);
    });
  });
}
