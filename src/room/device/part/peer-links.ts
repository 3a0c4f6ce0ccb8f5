/** This device's links to the others of the room, as the host wants them made and ended. */
import { measuredLink, type Peers } from '../../links/index.ts';
import type { DeviceMessage, Handlers, HostMessage, MessageOf } from '../../protocol/index.ts';
import type { OwnView } from '../own-view.ts';
import { createSingleFlight } from '../../../base/single-flight.ts';

export interface PeerLinksOptions {
  /** This device's own id. */
  deviceId: string;
  peers: Peers;
  /** Shows that this device's own links are slowed down. */
  own: OwnView;
  tell: (message: DeviceMessage) => void;
}

export interface PeerLinks {
  readonly handlers: Pick<Handlers<HostMessage>, 'connect' | 'measure-link' | 'emulate' | 'left'>;
  /** `fault` says how the device broke the rules, where its link was ended for that. */
  lost(deviceId: string, fault: string | null): void;
}

export function createPeerLinks({
  deviceId: ownId,
  peers,
  own,
  tell,
}: PeerLinksOptions): PeerLinks {
  const measurement = createSingleFlight((deviceId) => {
    const link = peers.link(deviceId);
    return link ? measuredLink(link) : Promise.resolve(null);
  });

  async function connect(introduction: MessageOf<HostMessage, 'connect'>): Promise<void> {
    const reached = await peers.meet(introduction);
    tell({ kind: 'connected', deviceId: introduction.deviceId, reached });
  }

  async function measure(deviceId: string): Promise<void> {
    const profile = await measurement(deviceId);
    tell({ kind: 'link', deviceId, profile, fault: null });
  }

  return {
    handlers: {
      connect: (introduction) => void connect(introduction),
      'measure-link': ({ deviceId }) => void measure(deviceId),
      emulate({ deviceId, emulation }) {
        peers.emulate(deviceId, emulation);
        if (deviceId === ownId) own.show({ emulation });
      },
      left: ({ deviceId }) => peers.drop(deviceId, 'it left the room'),
    },
    lost(deviceId, reason) {
      const fault = reason?.slice(0, 500) ?? null;
      if (deviceId !== 'host') tell({ kind: 'link', deviceId, profile: null, fault });
    },
  };
}
