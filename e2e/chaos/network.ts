/**
 * The network between machines: every packet of their connections goes by a path of this process, which can break it
 * for one machine and leave the others' alone.
 */
import type { BrowserContext } from 'playwright';
import { createNetworkPath, type NetworkPath } from '../harness/servers/network-path.ts';

export interface ChaosNetwork {
  /** From now on the pages of this context reach others through this network alone. Call it before the first page. */
  connect(context: BrowserContext, machine: number): Promise<void>;
  /** Every route to and from that machine goes silent for good; new ones work. */
  cut(machine: number): void;
  /** While `out`, nothing gets to or from that machine. */
  setOut(machine: number, out: boolean): void;
  close(): void;
}

interface Route {
  from: number;
  /** Address and port that it leads to: whose they are may be heard later. */
  to: string;
  path: NetworkPath;
}

export function createChaosNetwork(): ChaosNetwork {
  const routes: Route[] = [];
  const machineAt = new Map<string, number>();
  const out = new Set<number>();

  const machinesOf = ({ from, to }: Route): (number | undefined)[] => [from, machineAt.get(to)];

  function spread(): void {
    for (const route of routes) {
      const isOut = machinesOf(route).some((machine) => machine !== undefined && out.has(machine));
      route.path.quality = { delayMs: 0, lossRate: isOut ? 1 : 0 };
    }
  }

  return {
    async connect(context, machine) {
      await context.exposeFunction('ownCandidate', (address: string, port: number) => {
        machineAt.set(`${address} ${port}`, machine);
        spread();
      });
      await context.exposeFunction('throughPath', async (address: string, port: number) => {
        const path = createNetworkPath();
        routes.push({ from: machine, to: `${address} ${port}`, path });
        spread();
        return path.through(address, port);
      });
      await context.addInitScript(routeConnections);
    },
    cut(machine) {
      for (const route of routes) if (machinesOf(route).includes(machine)) route.path.cut();
    },
    setOut(machine, isOut) {
      if (isOut) out.add(machine);
      else out.delete(machine);
      spread();
    },
    close() {
      for (const { path } of routes) path.close();
    },
  };
}

/**
 * Runs in the page, before the app. Whoever offers a connection is given a route of this network instead of the other's address;
 * whoever answers learns where packets come from and needs no address.
 */
function routeConnections(): void {
  const addressOf = (candidate: string): { address: string; port: number } | null => {
    const [, , protocol = '', , address = '', port = ''] = candidate.split(' ');
    const usable = protocol.toLowerCase() === 'udp' && /^[\d.]+$/.test(address);
    return usable ? { address, port: Number(port) } : null;
  };
  globalThis.RTCPeerConnection = class extends RTCPeerConnection {
    constructor(configuration?: RTCConfiguration) {
      super(configuration);
      this.addEventListener('icecandidate', ({ candidate }) => {
        const own = candidate && addressOf(candidate.candidate);
        if (own) void ownCandidate(own.address, own.port);
      });
    }

    override setRemoteDescription(description: RTCSessionDescriptionInit): Promise<void> {
      const sdp = description.sdp?.replaceAll(/^a=candidate:.*\r\n/gm, '');
      return super.setRemoteDescription({
        type: description.type,
        ...(sdp !== undefined && { sdp }),
      });
    }

    override async addIceCandidate(candidate?: RTCIceCandidateInit | null): Promise<void> {
      const line = candidate?.candidate ?? '';
      const theirs = addressOf(line);
      if (!candidate || !theirs || this.localDescription?.type !== 'offer') return;
      const route = await throughPath(theirs.address, theirs.port);
      const parts = line.split(' ');
      parts[4] = route.address;
      parts[5] = String(route.port);
      await super.addIceCandidate({ ...candidate, candidate: parts.join(' ') });
    }
  };
}

declare global {
  /** Tells the network where this page can be reached. */
  function ownCandidate(address: string, port: number): Promise<void>;
}
