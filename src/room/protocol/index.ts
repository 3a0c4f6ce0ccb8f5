/** The face of the protocol: every message between the devices of a room, and the form of what frames carry. */
export {
  type BulkHeader,
  BulkHeaderSchema,
  type BulkMessage,
  decodeBulk,
  encodeBulk,
  mostPositions,
} from './bulk-message.ts';
export {
  type DeviceMessage,
  DeviceMessageSchema,
  EmulationSchema,
  type HostMessage,
  HostMessageSchema,
  type MeasuredLink,
  parseDeviceMessage,
  parseHostMessage,
  roomProtocolVersion,
} from './control-messages.ts';
export { groupCode, packGroup, unpackGroup } from './group-frame.ts';
export {
  areFinite,
  bytesPerNumber,
  forkCode,
  packHidden,
  unpackHidden,
  wireCode,
} from './hidden-codec.ts';
export { dispatch, type Handlers, type MessageOf } from './handlers.ts';
