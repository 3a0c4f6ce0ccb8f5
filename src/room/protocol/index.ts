/**
 * The face of the protocol: every message between the devices of a room, and the form of what frames carry. Control
 * messages are `host-messages.ts` and `device-messages.ts`; hidden states travel as frames.
 */
export {
  type BulkHandlers,
  type BulkHeader,
  BulkHeaderSchema,
  type BulkMessage,
  decodeBulk,
  encodeBulk,
  mostPositions,
  unaskedBulk,
} from './bulk-message.ts';
export {
  type DeviceMessage,
  DeviceMessageSchema,
  type MeasuredLink,
  parseDeviceMessage,
} from './device-messages.ts';
export {
  EmulationSchema,
  type HostMessage,
  HostMessageSchema,
  parseHostMessage,
} from './host-messages.ts';
export { groupCode, packGroup, unpackGroup } from './group-frame.ts';
export {
  areFinite,
  bytesPerNumber,
  forkCode,
  packHidden,
  unpackHidden,
  wireCode,
} from './hidden-codec.ts';
export { dispatch, type Handlers, type MessageOf } from '../../base/handlers.ts';
export { roomProtocolVersion } from './protocol-version.ts';
