/**
 * The network between seats: every packet of their connections goes by a path of this process, which can break it
 * for one seat and leave the others' alone.
 */
import type { BrowserContext } from 'playwright';
import { createNetworkPath, type NetworkPath } from '../harness/servers/network-path.ts';

export interface Ways {
  /** From now on the pages of this context reach others by these ways alone. Call it before the first page. */
  lead(context: BrowserContext, seat: number): Promise<void>;
  /** Every way to and from that seat goes silent for good; new ones work. */
  cut(seat: number): void;
  /** While `out`, nothing gets to or from that seat. */
  setOut(seat: number, out: boolean): void;
  close(): void;
}

interface Way {
  from: number;
  /** Address and port that it leads to: whose they are may be heard later. */
  to: string;
  path: NetworkPath;
}

export function createWays(): Ways {
  const ways: Way[] = [];
  const seatAt = new Map<string, number>();
  const out = new Set<number>();

  const seatsOf = ({ from, to }: Way): (number | undefined)[] => [from, seatAt.get(to)];

  function spread(): void {
    for (const way of ways) {
      const isOut = seatsOf(way).some((seat) => seat !== undefined && out.has(seat));
      way.path.quality = { delayMs: 0, lossRate: isOut ? 1 : 0 };
    }
  }

  return {
    async lead(context, seat) {
      await context.exposeFunction('ownCandidate', (address: string, port: number) => {
        seatAt.set(`${address} ${port}`, seat);
        spread();
      });
      await context.exposeFunction('throughPath', async (address: string, port: number) => {
        const path = createNetworkPath();
        ways.push({ from: seat, to: `${address} ${port}`, path });
        spread();
        return path.through(address, port);
      });
      await context.addInitScript(leadByWays);
    },
    cut(seat) {
      for (const way of ways) if (seatsOf(way).includes(seat)) way.path.cut();
    },
    setOut(seat, isOut) {
      if (isOut) out.add(seat);
      else out.delete(seat);
      spread();
    },
    close() {
      for (const { path } of ways) path.close();
    },
  };
}

/**
 * Runs in the page, before the app. Whoever offers a connection is given the way instead of the other's address;
 * whoever answers learns where packets come from and needs no address.
 */
function leadByWays(): void {
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
      const way = await throughPath(theirs.address, theirs.port);
      const parts = line.split(' ');
      parts[4] = way.address;
      parts[5] = String(way.port);
      await super.addIceCandidate({ ...candidate, candidate: parts.join(' ') });
    }
  };
}

declare global {
  /** Tells the ways where this page can be reached. */
  function ownCandidate(address: string, port: number): Promise<void>;
}
