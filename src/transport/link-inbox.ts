/** What comes over any connection of a link, and where it goes. */
import { dispatch, type Handlers } from '../base/handlers.ts';
import { createAllowance } from './allowance.ts';
import { createEvent } from './event.ts';
import type { FramePort } from './frame-port.ts';
import type { LaneInbox } from './lane.ts';
import { tooTalkative } from './link-endings.ts';
import type { LinkError } from './link-error.ts';
import { decodeLinkMessage, type LinkMessage } from './link-message.ts';
import type { Subscribe } from './types.ts';

export interface LinkInbox extends LaneInbox {
  /** Large messages that have come. */
  readonly bulkReceived: number;
  onDelivered: Subscribe<[bytes: Uint8Array<ArrayBuffer>]>;
}

export interface LinkInboxOptions {
  handlers: Handlers<LinkMessage>;
  framePort: FramePort;
  say: (message: LinkMessage) => void;
  /** Something came, whatever it is. */
  hear: () => void;
  onMisbehaved: (error: LinkError) => void;
}

/**
 * Messages, not bytes: far more than a room says, far less than keeps a device from computing. Measured: a device
 * says 8 a second while it joins and next to nothing later; a host up to 80, when it streams four answers to it.
 */
const controlAllowance = { burst: 1000, perSecond: 200 };

export function createLinkInbox(options: LinkInboxOptions): LinkInbox {
  const { handlers, framePort, say, hear } = options;
  const mayControl = createAllowance(controlAllowance);
  const delivered = createEvent<[bytes: Uint8Array<ArrayBuffer>]>();
  let bulkReceived = 0;

  return {
    get bulkReceived() {
      return bulkReceived;
    },
    onDelivered: delivered.on,
    onControl(data) {
      hear();
      if (!mayControl.take(1)) throw tooTalkative();
      dispatch(handlers, decodeLinkMessage(data));
    },
    onSlice(message, by) {
      hear();
      framePort.receive(message, by);
    },
    bulkDue: () => bulkReceived,
    onBulk(bytes) {
      hear();
      bulkReceived++;
      say({ kind: 'bulk here', count: bulkReceived });
      delivered.emit(bytes);
    },
    onBurst: (report) => say({ kind: 'burst', ...report }),
    onMisbehaved: options.onMisbehaved,
  };
}
